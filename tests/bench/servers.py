"""Coffer, and what it is compared with."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from tools import Trouble, answers, free_port, program, run, wait_for

TOP = Path(__file__).resolve().parents[2]
WORKERS = 4
PASSWORD = "bench-marks-are-not-secrets-71"


class Server:
    """Processes that one folder belongs to; ended by their ids."""

    def __init__(self, folder):
        self.dir, self.port, self.processes = folder, free_port(), []
        self.dir.mkdir(parents=True, exist_ok=True)
        self.url = f"http://127.0.0.1:{self.port}"

    def spawn(self, *command, **options):
        with open(self.dir / "log", "ab") as log:
            process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **options)
        self.processes.append(process)
        return process

    def wait(self, path):
        try:
            wait_for(lambda: answers(self.url + path), self.url)
        except Trouble as e:
            raise Trouble(f"{e}\n{(self.dir / 'log').read_text(errors='replace')[-2000:]}") from None

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Nginx(Server):
    """The rival: static files and DAV PUT, set up as Coffer's own nginx is."""

    def __init__(self, folder):
        super().__init__(folder)
        (self.dir / "root").mkdir()
        (self.dir / "spool").mkdir()
        user = "user root;" if os.geteuid() == 0 else ""
        (self.dir / "nginx.conf").write_text(f"""
{user} worker_processes {WORKERS}; daemon off; pid {self.dir}/nginx.pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
    client_body_temp_path {self.dir}/spool; client_body_buffer_size 256k; client_max_body_size 0;
    fastcgi_temp_path {self.dir}/spool; proxy_temp_path {self.dir}/spool; scgi_temp_path {self.dir}/spool; uwsgi_temp_path {self.dir}/spool;
    server {{
        listen 127.0.0.1:{self.port} backlog=1024;
        root {self.dir}/root;
        location / {{ dav_methods PUT DELETE; }}
        location /nothing {{ return 200 "ok"; }}
    }}
}}
""")
        self.spawn(program("nginx"), "-p", self.dir, "-e", "stderr", "-c", self.dir / "nginx.conf")
        self.wait("/nothing")


class Coffer(Server):
    """Coffer as it is installed, with the defaults but for the folder and the port. stores: [store] of coffer.conf."""

    def __init__(self, folder, stores=None):
        super().__init__(folder)
        self.binary = coffer_program()
        store = "\n".join(f"{key} = {value}" for key, value in (stores or {}).items())
        self.run_dir = Path(tempfile.mkdtemp(prefix="coffer-bench-run-"))
        (self.dir / "coffer.conf").write_text(f"""
[site]
public_url = {self.url}
[data]
path = {self.dir}/data
[server]
run = {self.run_dir}
templates = {TOP}/templates
assets = {assets_folder()}
nginx = {TOP}/nginx
[web]
listen = 127.0.0.1:{self.port}
workers = {WORKERS}
[gc]
grace = 0s
[store]
{store}
""")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("COFFER_")} | {"COFFER_CONFIG": str(self.dir / "coffer.conf")}
        self.master = self.spawn(self.binary, "serve", env=self.env)
        wait_for(lambda: (self.run_dir / "bulk.sock").exists() or self.master.poll() is not None, "coffer serve")
        (self.dir / "nginx.conf").write_text(self.cli("front", "nginx"))
        self.spawn(program("nginx"), "-p", self.dir, "-e", "stderr", "-c", self.dir / "nginx.conf", "-g", "daemon off;")
        self.wait("/healthz")
        self.cookie = self.sign_in()

    def cli(self, *arguments, stdin=""):
        return run(self.binary, *arguments, env=self.env, input=stdin)

    def sign_in(self):
        self.cli("user", "add", "bench", stdin=PASSWORD + "\n")
        body = json.dumps({"username": "bench", "password": PASSWORD}).encode()
        request = urllib.request.Request(self.url + "/api/v1/login", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as response:
            cookies = response.headers.get_all("Set-Cookie")
        return next(c.split(";")[0] for c in cookies if c.startswith("coffer="))

    def workers(self):
        listed = Path(f"/proc/{self.master.pid}/task/{self.master.pid}/children")
        return [int(pid) for pid in listed.read_text().split()]

    def stop(self):
        super().stop()
        shutil.rmtree(self.run_dir, ignore_errors=True)


def coffer_program():
    found = program("coffer", os.environ.get("COFFER_BIN"), TOP / "build" / "coffer", TOP / "coffer")
    if not found:
        raise Trouble("there is no coffer: build it (./configure && make), or set COFFER_BIN")
    return found


def assets_folder():
    built = [TOP / "dist-assets", TOP / "build" / "assets"]  # by make, by ./run and ./check
    folder = Path(os.environ.get("COFFER_ASSETS") or next((f for f in built if f.is_dir()), built[0]))
    if not (folder / "manifest.json").exists():
        raise Trouble("the style sheets are not built: make assets, or set COFFER_ASSETS")
    return folder.resolve()
