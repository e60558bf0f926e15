"""A whole installation of Coffer for tests: real workers, a real nginx, a folder of its own.

    with Installation({"quota.default": "1M"}) as coffer:
        coffer.start()
        alice = coffer.person()          # a new account, signed in
        alice.put("a.txt", b"hello")

Environment: COFFER_BIN (the program; else build/coffer or ./coffer of this tree), COFFER_PLAIN_BIN (the program built
without sanitizers, for tests with the mark `plain`; else COFFER_BIN), COFFER_ASSETS (built style sheets and scripts),
COFFER_NGINX (nginx). Everything started here listens on 127.0.0.1 and is ended by its pid.
"""
import concurrent.futures
import contextlib
import ctypes
import dataclasses
import hashlib
import http.client
import io
import itertools
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import ssl
import struct
import subprocess
import tempfile
import time
from html.parser import HTMLParser
from pathlib import Path

import httpx

TOP = Path(__file__).resolve().parent.parent
OUT = TOP / "tests" / ".out"
ALL = os.environ.get("COFFER_TEST_ALL") == "1"
OTHER_STORES = "COFFER_TEST_METADATA" in os.environ or "COFFER_TEST_BLOBS" in os.environ
PASSWORD = "correct horse battery staple 42"
PATIENCE_S = 120  # what comes at all comes long before, but on a machine that does much else
PORT_TRIES = 5
CRASH = re.compile(r"^.*(AddressSanitizer|LeakSanitizer|runtime error:|Assertion .* failed).*$", re.M)

# What the installations of the tests differ in from the defaults: small pools for small machines, cheap password
# hashes, limits that a fast test would run into.
SETTINGS = {
    "site.register": "open",
    "pool.api": 4, "pool.bulk": 4, "pool.login": 2, "web.workers": 2,
    "login.memory": "8M", "login.passes": 1, "login.queue": "1m",
    "throttle.register": 1000000, "throttle.address": 1000000,
}


class HarnessError(Exception):
    """The installation did not do what every test relies on."""


class PortTaken(HarnessError):
    """Somebody else listens there."""


def program(plain=False):
    named = plain and os.environ.get("COFFER_PLAIN_BIN") or os.environ.get("COFFER_BIN")
    places = [Path(named)] if named else [TOP / "build" / "coffer", TOP / "coffer"]
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            return place.resolve()
    raise HarnessError(f"no program at {' or '.join(map(str, places))}: build it, or set COFFER_BIN")


def nginx_program():
    for name in (os.environ.get("COFFER_NGINX"), shutil.which("nginx"), "/usr/sbin/nginx"):
        if name and os.access(name, os.X_OK):
            return name
    raise HarnessError("no nginx: install it, or set COFFER_NGINX")


def stores_of_the_environment(own):
    """COFFER_TEST_METADATA and COFFER_TEST_BLOBS name the stores; %s in them becomes a name of this installation's own."""
    named = {"store.metadata": os.environ.get("COFFER_TEST_METADATA"), "store.blobs": os.environ.get("COFFER_TEST_BLOBS")}
    return {key: uri.replace("%s", own) for key, uri in named.items() if uri}


def assets_folder():
    named = os.environ.get("COFFER_ASSETS")
    for place in [Path(named)] if named else [TOP / "dist-assets"]:
        if place.is_dir():
            return place.resolve()
    raise HarnessError("no built style sheets and scripts: run `make assets`, or set COFFER_ASSETS")


# Ports come from below those that the kernel gives to outgoing connections (32768 and up) and from a thousand of each pytest
# worker's own: between free_port() and the server's bind() nobody but another test run is likely to take one.
_first_port = 10_000 + 1000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 20)
_ports = itertools.count(secrets.randbelow(1000))


def free_port():
    for _ in range(1000):
        port = _first_port + next(_ports) % 1000
        with contextlib.suppress(OSError), socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: only who listens is in the way
            s.bind(("127.0.0.1", port))
            return port
    raise HarnessError(f"no port is free from {_first_port} on")


_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: nothing stays behind when the test run is killed


def wait_for(check, seconds=PATIENCE_S, step=0.02):
    """The first true value of check(), else its last one when the time is over."""
    end = time.monotonic() + seconds
    while not (value := check()) and time.monotonic() < end:
        time.sleep(step)
    return value


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children(pid):
    return _with_field(1, pid)


def companions(leader):
    """Whoever else is in the session that the process leads, or led before it was killed."""
    return [pid for pid in _with_field(3, leader) if pid != leader]


def processes():
    """The pids of all of this machine."""
    return sorted(int(entry) for entry in os.listdir("/proc") if entry.isdigit())


def _with_field(which, value):
    """The pids whose field of /proc/PID/stat, counted from the state on, has that value."""
    found = []
    for pid in processes():
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if int(fields[which]) == value and fields[0] not in "ZX":
                found.append(pid)
    return found


def working_in(folder):
    """The pids of those that were started in the folder, whoever their parent is by now."""
    found = []
    for pid in processes():
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/cwd").removesuffix(" (deleted)") == str(folder) and alive(pid):
                found.append(pid)
    return found


class Noise:
    """`size` bytes that do not compress and never repeat at the same offset, made as they are read."""

    def __init__(self, size, seed=None):
        self.size, self.at = size, 0
        self.block = secrets.token_bytes(1 << 20) if seed is None else hashlib.shake_256(str(seed).encode()).digest(1 << 20)

    def read(self, n=-1):
        n = self.size - self.at if n < 0 else min(n, self.size - self.at)
        out = bytearray()
        while n > 0:
            number, skip = divmod(self.at, 1 << 20)
            piece = (struct.pack("<Q", number) + self.block[8:])[skip:skip + n]
            out += piece
            self.at += len(piece)
            n -= len(piece)
        return bytes(out)

    def __iter__(self):
        while piece := self.read(1 << 20):
            yield piece

    def sha256(self):
        digest, again = hashlib.sha256(), Noise(self.size)
        again.block = self.block
        for piece in again:
            digest.update(piece)
        return digest.hexdigest()


# ---------------------------------------------------------------- answers
@dataclasses.dataclass
class Answer:
    """An answer read off a socket: headers in the order sent, names in lower case."""
    status: int
    headers: list
    body: bytes

    def header(self, name):
        return next((v for k, v in self.headers if k == name.lower()), None)

    def json(self):
        return json.loads(self.body)


def problem(response, status, code):
    """The response is the problem document of that status and code; gives the document."""
    status_code = getattr(response, "status_code", None) or response.status
    body = response.content if hasattr(response, "content") else response.body
    kind = response.headers["content-type"] if hasattr(response, "status_code") else response.header("content-type")
    assert (status_code, (kind or "").split(";")[0]) == (status, "application/problem+json"), (status_code, kind, body[:500])
    document = json.loads(body)
    assert document["code"] == code, document
    assert document["status"] == status, document
    assert document["title"] and "type" in document, document
    return document


def ok(response, status=200):
    assert response.status_code == status, (response.request.method, str(response.request.url), response.status_code, response.text[:500])
    return response


class Form:
    """A form of a page, as a browser without JavaScript would send it."""

    def __init__(self, attributes):
        self.method = (attributes.get("method") or "get").lower()
        self.action = attributes.get("action") or ""
        self.kind = attributes.get("enctype") or "application/x-www-form-urlencoded"
        self.fields, self.types, self.text = {}, {}, ""


class Page(HTMLParser):
    """What a test looks at in a page: text, links, forms, elements."""

    def __init__(self, html):
        super().__init__()
        self.html, self.text, self.links, self.forms, self.elements, self._form, self._select = html, "", [], [], [], None, None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.elements.append((tag, a))
        if tag == "a" and "href" in a:
            self.links.append(a["href"])
        if tag == "form":
            self._form = Form(a)
            self.forms.append(self._form)
        if tag == "select":
            self._select = a.get("name")
        if tag == "option" and self._form and ("selected" in a or not self._form.fields.get(self._select)):
            self._form.fields[self._select] = a.get("value") or ""
        if tag in ("input", "button", "select", "textarea") and self._form and a.get("name"):
            self._form.types[a["name"]] = a.get("type", tag)
            if a.get("type") not in ("checkbox", "radio") or "checked" in a:
                self._form.fields[a["name"]] = a.get("value") or ""

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None

    def handle_data(self, data):
        self.text += data
        if self._form:
            self._form.text += data

    def form(self, action=None, field=None):
        """The one form whose address matches the pattern and that has the field."""
        found = [f for f in self.forms if (action is None or re.search(action, f.action)) and (field is None or field in f.types)]
        assert found, (action, field, [(f.method, f.action, f.types) for f in self.forms])
        return found[0]


# ---------------------------------------------------------------- people
class Person:
    """A client with a cookie jar: a browser or a program of somebody."""

    def __init__(self, coffer, **options):
        self.coffer = coffer
        self.name, self.password = None, PASSWORD
        options.setdefault("timeout", PATIENCE_S)
        self.http = httpx.Client(base_url=coffer.url, verify=coffer.trust, follow_redirects=False, trust_env=False, **options)

    def close(self):
        self.http.close()

    def get(self, path, **options):
        return self.http.get(path, **options)

    def post(self, path, **options):
        return self.http.post(path, **options)

    def delete(self, path, **options):
        return self.http.delete(path, **options)

    def head(self, path, **options):
        return self.http.head(path, **options)

    def request(self, method, path, **options):
        return self.http.request(method, path, **options)

    def register(self, name=None, password=PASSWORD):
        self.name, self.password = name or "user" + secrets.token_hex(6), password
        ok(self.post("/api/v1/register", json={"username": self.name, "password": password}), 201)
        return self

    def login(self, name=None, password=None):
        ok(self.post("/api/v1/login", json={"username": name or self.name, "password": password or self.password}))
        return self

    def me(self):
        return ok(self.get("/api/v1/me")).json()

    @property
    def root(self):
        return self.me()["root"]

    @property
    def cookie(self):
        return self.http.cookies.get(self.coffer.cookie)

    def put(self, path, data=b"", headers=None, **query):
        """PUT /content/<path>; `path` is percent-encoded already."""
        return self.http.put(f"/api/v1/content/{path}", content=data, headers=headers, params=query or None)

    def content(self, path, **options):
        return self.get(f"/api/v1/content/{path}", **options)

    def upload(self, *files, headers=None, data=None, **query):
        """POST /upload with (name, bytes[, type]) each as a field `file`."""
        return self.post("/api/v1/upload", files=[("file", f) for f in files], data=data, params=query or None, headers=headers)

    def file(self, name="a.txt", data=b"hello", parent=None):
        """A file that the test needs; gives its record."""
        return ok(self.upload((name, data), **({"parent": parent} if parent else {})), 201).json()

    def folder(self, name, parent=None):
        return ok(self.post("/api/v1/folders", json={"parent": parent or self.root, "name": name}), 201).json()

    def list(self, parent=None, **query):
        return ok(self.get("/api/v1/files", params=({"parent": parent} if parent else {}) | query)).json()

    def names(self, parent=None, **query):
        return [item["name"] for item in self.list(parent, **query)["items"]]

    def all(self, parent=None, **query):
        """Every record below a folder (not its subfolders'), page by page."""
        items, cursor = [], {}
        while True:
            page = self.list(parent, **query, **cursor)
            items += page["items"]
            if page["next"] is None:
                return items
            cursor = {"cursor": page["next"]}


# ---------------------------------------------------------------- the installation
class Installation:
    def __init__(self, settings=None, tls=False, data=None, name="coffer", binary=None, plain=False):
        self.binary, assets = binary or program(plain), assets_folder()
        self.dir = Path(tempfile.mkdtemp(prefix="coffer-test-"))
        self.name, self.tls, self.port = name, tls, free_port()
        self.scheme = "https" if tls else "http"
        self.authority = f"127.0.0.1:{self.port}"
        self.url = f"{self.scheme}://{self.authority}"
        self.cookie = "__Host-coffer" if tls else "coffer"
        self.trust = False
        self.data = Path(data) if data else self.dir / "data"
        self.conf, self.log_path, self.nginx_log_path = self.dir / "coffer.conf", self.dir / "coffer.log", self.dir / "nginx.log"
        self.run = self.dir / "run"
        self.coffer = self.nginx = None
        self.people = []
        self.settings = SETTINGS | {
            "site.public_url": self.url,
            "data.path": self.data, "server.run": self.run,
            "server.templates": TOP / "templates", "server.assets": assets,
            "server.nginx": TOP / "nginx",
            "web.listen": self.authority,
        }
        self.settings |= stores_of_the_environment(unique("coffer-"))
        if tls:
            self._certificate()
        self.settings |= settings or {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _certificate(self):
        certificate, key = self.dir / "cert.pem", self.dir / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        self.settings |= {"web.certificate": certificate, "web.certificate_key": key}
        self.trust = ssl.create_default_context(cafile=certificate)

    # ---- start and stop
    def write_conf(self, **changes):
        """Write coffer.conf; changes are kept: write_conf(site_title="New")."""
        self.settings |= {key.replace("_", ".", 1): value for key, value in changes.items()}
        sections = {}
        for key, value in self.settings.items():
            section, _, name = key.partition(".")
            sections.setdefault(section, []).append(f"{name} = {value}\n")
        self.conf.write_text("".join(f"[{s}]\n{''.join(rows)}\n" for s, rows in sections.items()))
        self.conf.chmod(0o600)  # the address of a store may hold a password

    def environment(self):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("COFFER_")}
        return clean | {"COFFER_CONFIG": str(self.conf), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "abort_on_error=1")}

    def start(self, web=True):
        for _ in range(PORT_TRIES):
            self.write_conf()
            self.run.mkdir(mode=0o750, exist_ok=True)  # as an installation does
            self.data.mkdir(mode=0o700, exist_ok=True)
            try:
                self.start_coffer()
                if web:
                    self.start_nginx()
                return self
            except PortTaken:
                self.stop()
                self.move_to(free_port())
        raise PortTaken(f"{PORT_TRIES} ports, and each of them was taken\n{self.tail()}")

    def start_with_a_store_that_comes_later(self, come):
        """Its store is not there, and come() brings it once serve has said that it waits."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            later = pool.submit(lambda: self.says("trying again") and come())
            self.start()
            later.result()

    def move_to(self, port):
        """Listen there instead, as everything that names the old address has to say."""
        assert not self.people, "somebody has the old address"
        old, self.port = self.authority, port
        self.authority = f"127.0.0.1:{port}"
        self.url = f"{self.scheme}://{self.authority}"
        self.settings |= {key: value.replace(old, self.authority) for key, value in self.settings.items() if isinstance(value, str)}

    def start_coffer(self):
        with open(self.log_path, "ab") as log:
            self.coffer = subprocess.Popen([self.binary, "serve"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir,
                                           env=self.environment(), start_new_session=True, preexec_fn=_die_with_parent)
        sockets = [self.run / f"{role}.sock" for role in ("api", "login", "bulk")]

        def answers():
            if self.coffer.poll() is not None:
                raise HarnessError(f"coffer serve ended with {self.coffer.returncode}\n{self.tail()}")
            return all(map(_accepts, sockets))
        if not wait_for(answers):
            raise HarnessError(f"coffer serve does not answer\n{self.tail()}")

    def start_nginx(self):
        text = self.cli("front", "nginx").stdout
        (self.dir / "nginx.conf").write_text(text)
        directives = ["" if re.search(r"^\s*daemon\s", text, re.M) else "daemon off;",
                      "user root;" if os.geteuid() == 0 and not re.search(r"^\s*user\s", text, re.M) else ""]
        with open(self.nginx_log_path, "ab") as log:
            began = log.tell()
            self.nginx = subprocess.Popen([nginx_program(), "-p", self.dir, "-c", self.dir / "nginx.conf", "-e", "stderr",
                                           "-g", "".join(directives)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          cwd=self.dir, start_new_session=True, preexec_fn=_die_with_parent)

        def answers():
            if self.nginx.poll() is not None:
                taken = b"Address already in use" in self.nginx_log_path.read_bytes()[began:]
                raise (PortTaken if taken else HarnessError)(f"nginx ended with {self.nginx.returncode}\n{self.tail()}")
            return children(self.nginx.pid) and self.healthy()  # without workers it is somebody else who answers there
        if not wait_for(answers, step=0.05):
            raise HarnessError(f"/healthz does not answer 200\n{self.tail()}")

    def healthy(self):
        try:
            answer = httpx.get(f"{self.url}/healthz", verify=self.trust, trust_env=False, timeout=PATIENCE_S)
            return answer.status_code == 200 and answer.text.strip() == "ok"
        except httpx.HTTPError:
            return False

    def stop(self):
        """Orderly; gives the exit statuses of coffer and nginx (None where it was not running)."""
        return self.end("coffer", signal.SIGTERM), self.end("nginx", signal.SIGTERM)

    def end(self, which, how):
        process = getattr(self, which)
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(how)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise HarnessError(f"{which} was told to end and did not\n{self.tail()}") from None
        if how != signal.SIGKILL:
            wait_for(lambda: not companions(process.pid), 5)
        while left := companions(process.pid):  # behind a master that was killed, also a worker that it had just made
            self.kill(*left)
            time.sleep(0.02)
        setattr(self, which, None)
        return process.returncode

    def restart(self):
        self.stop()
        self.start_coffer()
        self.start_nginx()

    def close(self, keep=False):
        """Ends what runs and removes what is there; the logs are kept when asked for, and when they tell of a crash, which is an error."""
        if not self.dir.exists():
            return
        for person in self.people:
            person.close()
        self.people.clear()
        try:
            self.stop()
        finally:
            self.kill(*working_in(self.dir))  # a worker of nginx that a master has made while both were being killed
            crash = CRASH.search(self.logs())  # also of a leak, which a process tells when it ends
            if keep or crash:
                print(f"logs kept in {os.path.relpath(self.keep())}")
            shutil.rmtree(self.dir, ignore_errors=True)
        if crash:
            raise HarnessError(crash[0])

    def keep(self):
        """Copy configuration and logs to tests/.out, for a person to read."""
        folder = OUT / f"{self.name}-{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        for path in self.dir.iterdir():
            if path.is_file() and path.suffix in (".conf", ".log"):
                shutil.copy(path, folder)
        return folder

    # ---- processes
    def workers(self, role=None):
        """{pid: role} of the master's children, or the pids of one role."""
        found = {}

        def named():  # a process has its name a moment after it is there
            found.clear()
            found.update((pid, role_of(pid)) for pid in children(self.coffer.pid))
            return not {"unknown", "gone"} & set(found.values())
        wait_for(named)
        return found if role is None else [pid for pid, r in found.items() if r == role]

    def nginx_workers(self):
        return children(self.nginx.pid)

    def kill(self, *pids):
        """kill -9; what is gone already does not matter."""
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    # ---- the command line
    def cli(self, *arguments, stdin="", check=True, timeout=600):
        done = subprocess.run([self.binary, *arguments], input=stdin, capture_output=True, text=True, env=self.environment(),
                              cwd=self.dir, timeout=timeout)
        if check and done.returncode != 0 or CRASH.search(done.stderr):
            raise HarnessError(f"coffer {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def begin(self, *arguments):
        """A command that goes on while the test does; what it says of errors is among the logs."""
        with open(self.dir / "commands.log", "ab") as log:
            return subprocess.Popen([self.binary, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                                    env=self.environment(), cwd=self.dir)

    def fsck(self, *options):
        return self.cli("fsck", "--deep", *options, check=False)

    def granted(self, kind, *name):
        """The token of a link that an administrator makes: granted("invite"), granted("reset", "alice")."""
        return re.search(r"(?:invite|token)=([\w-]+)", self.cli("user", kind, *name).stdout)[1]

    # ---- looking at it from outside
    def incoming(self):
        return sorted(p for p in (self.data / "incoming").rglob("*") if p.is_file())

    def spool_is_empty(self):
        """nginx unlinks its own name for a body only after the answer has been sent."""
        return wait_for(lambda: self.incoming() == [])

    def blobs(self):
        """The files, or with S3 the keys, of all contents."""
        uri = str(self.settings.get("store.blobs", ""))
        if uri.startswith("s3://"):
            return _s3_keys(uri, self.settings.get("store.s3_endpoint"))
        return sorted(p for p in (self.data / "blobs").rglob("*") if p.is_file() and re.fullmatch("[0-9a-f]{32}", p.name))

    def on_sqlite(self):
        return str(self.settings.get("store.metadata", "sqlite:")).startswith("sqlite:")

    def private_file(self):
        """One below the data folder that nobody else may read: the database where there is one."""
        return self.database() if self.on_sqlite() else self.data / "nginx-params.conf"

    def database(self):
        found = [p for p in self.data.iterdir() if p.is_file() and p.read_bytes()[:16] == b"SQLite format 3\0" and "volatile" not in p.name]
        assert len(found) == 1, found
        return found[0]

    def logs(self):
        return "".join(p.read_text(errors="replace") for p in sorted(self.dir.glob("*.log"))) + "".join(
            p.read_text(errors="replace") for p in sorted(self.data.rglob("*.log")))

    def log_text(self):
        return self.log_path.read_text(errors="replace")

    def says(self, words):
        """Waits until they stand in coffer's log."""
        return wait_for(lambda: self.log_path.exists() and words in self.log_text())

    def log_lines(self, event=None, since=0):
        """Lines of coffer's log as dictionaries, from a byte offset (log_mark())."""
        text = self.log_path.read_bytes()[since:].decode(errors="replace")
        lines = [logfmt(line) for line in text.splitlines()]
        return [line for line in lines if event is None or line.get("event") == event]

    def log_mark(self):
        return self.log_path.stat().st_size

    def tail(self, lines=25):
        return "\n".join(f"{p.name}: {line}" for p in (self.log_path, self.nginx_log_path) if p.exists()
                         for line in p.read_text(errors="replace").splitlines()[-lines:])

    # ---- people
    def anon(self, **options):
        person = Person(self, **options)
        self.people.append(person)
        return person

    def person(self, name=None, **options):
        """A new account, signed in."""
        return self.anon(**options).register(name).login()

    # ---- by hand
    def connect(self, timeout=PATIENCE_S):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.trust.wrap_socket(s, server_hostname="127.0.0.1") if self.tls else s

    def raw(self, *pieces, half_close=False, timeout=PATIENCE_S):
        """Send bytes as they are, read one answer; None when the connection was closed without one."""
        with self.connect(timeout) as s:
            try:
                for piece in pieces:
                    s.sendall(piece)
                if half_close:
                    s.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # answered before the end: read it
            return read_answer(s, pieces[0].split(b" ", 1)[0].decode("latin-1"))

    def request_text(self, method, target, *headers, cookie=None, host=None):
        """The head of a request, with Host and the cookie, ended by the empty line."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host or self.authority}", "Connection: close", *headers]
        if cookie:
            lines.append(f"Cookie: {self.cookie}={cookie}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")

    # ---- straight to a worker, past nginx
    def front_key(self):
        return "1:" + (self.data / "front.key").read_text().strip()

    def fcgi_params(self, method="GET", target="/api/v1/me", **extra):
        """What nginx would send, as pairs; extra ones replace or (value None) drop."""
        params = {
            "COFFER_FRONT": self.front_key(), "COFFER_SEND": "x-accel-redirect", "GATEWAY_INTERFACE": "CGI/1.1",
            "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_SOFTWARE": "nginx", "REQUEST_METHOD": method, "REQUEST_URI": target,
            "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": self.authority, "REQUEST_SCHEME": self.scheme,
            "HTTPS": "on" if self.tls else "",
        } | extra
        return [(k, v) for k, v in params.items() if v is not None]

    def fcgi(self, params, body=b"", role="api", timeout=PATIENCE_S):
        return fcgi_call(self.run / f"{role}.sock", params, body, timeout)


def s3_client(endpoint=None):
    """The S3 server of the tests, past Coffer."""
    import botocore.session  # takes half a second, and few tests look into a bucket
    session = botocore.session.get_session()
    return session.create_client("s3", endpoint_url=endpoint or os.environ.get("AWS_ENDPOINT_URL"),
                                 region_name=os.environ.get("AWS_REGION", "us-east-1"),
                                 config=botocore.config.Config(s3={"addressing_style": "path"}))


def _s3_keys(uri, endpoint=None):
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    pages = s3_client(endpoint).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/blobs/")
    return sorted(item["Key"] for page in pages for item in page.get("Contents", []))


def _accepts(path):
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(path))
            return True
    except OSError:
        return False


def role_of(pid):
    """'api', 'login', 'bulk' or 'keeper', as the process's name says."""
    for place in ("comm", "cmdline"):
        try:
            text = Path(f"/proc/{pid}/{place}").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return "gone"
        if found := re.search(r"\b(api|login|bulk|keeper)\b", text):
            return found[1]
    return "unknown"


_logfmt_field = re.compile(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))')


def logfmt(line):
    return {m[1]: m[2] if m[2] is not None else m[3] for m in _logfmt_field.finditer(line)}


class _Stream:
    """What http.client wants of a socket."""

    def __init__(self, s):
        self.file = s.makefile("rb")

    def makefile(self, *_):
        return self.file


def read_answer(s, method="GET"):
    try:
        response = http.client.HTTPResponse(_Stream(s), method=method)
        response.begin()
        body = response.read()
        return Answer(response.status, [(k.lower(), v) for k, v in response.getheaders()], body)
    except (http.client.BadStatusLine, ConnectionResetError):
        return None


# ---------------------------------------------------------------- FastCGI, the client's side
FCGI_BEGIN, FCGI_END, FCGI_PARAMS, FCGI_STDIN, FCGI_STDOUT, FCGI_STDERR = 1, 3, 4, 5, 6, 7


def fcgi_record(kind, content=b"", request=1, version=1):
    return struct.pack(">BBHHBB", version, kind, request, len(content), 0, 0) + content


def _fcgi_stream(kind, data):
    pieces = [fcgi_record(kind, data[i:i + 65535]) for i in range(0, len(data), 65535)]
    return b"".join(pieces) + fcgi_record(kind)


def _fcgi_length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 1 << 31)


def fcgi_bytes(params, body=b""):
    """A whole request."""
    pairs = b""
    for name, value in params:
        name, value = (x if isinstance(x, bytes) else str(x).encode() for x in (name, value))
        pairs += _fcgi_length(len(name)) + _fcgi_length(len(value)) + name + value
    begin = fcgi_record(FCGI_BEGIN, struct.pack(">HB5x", 1, 0))
    return begin + _fcgi_stream(FCGI_PARAMS, pairs) + _fcgi_stream(FCGI_STDIN, body)


def _receive(s, n):
    data = b""
    while len(data) < n:
        piece = s.recv(n - len(data))
        if not piece:
            raise EOFError(f"{len(data)} of {n} bytes")
        data += piece
    return data


def fcgi_call(path, params, body=b"", timeout=PATIENCE_S):
    """One request to the FastCGI socket at `path`; its answer, None when the worker hung up."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(timeout)
        s.connect(str(path))
        s.sendall(fcgi_bytes(params, body))
        out = b""
        try:
            while True:
                _, kind, _, length, padding, _ = struct.unpack(">BBHHBB", _receive(s, 8))
                content = _receive(s, length)
                _receive(s, padding)
                if kind == FCGI_END:
                    break
                if kind == FCGI_STDOUT:
                    out += content
        except (EOFError, ConnectionResetError):
            return None
    head, _, rest = out.partition(b"\r\n\r\n")
    message = http.client.parse_headers(io.BytesIO(head + b"\r\n\r\n"))
    headers = [(k.lower(), v) for k, v in message.items()]
    status = next((int(v.split()[0]) for k, v in headers if k == "status"), 200)
    return Answer(status, headers, rest)


# ---------------------------------------------------------------- small things
_counter = itertools.count(1)


def unique(prefix="n"):
    return f"{prefix}{next(_counter)}-{secrets.token_hex(3)}"


def sqlite_rows(path, statement, *arguments):
    with sqlite3.connect(path, timeout=PATIENCE_S) as db:
        return db.execute(statement, arguments).fetchall()
