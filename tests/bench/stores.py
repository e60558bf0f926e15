"""The rows of ../../bench on other stores: MongoDB and S3, whose addresses the environment has (tests/servers starts both).

COFFER_TEST_MONGODB_URI; COFFER_TEST_S3_URI=s3://BUCKET/PREFIX, AWS_ENDPOINT_URL (plain http), AWS_REGION and the two keys.
"""
import json
import os
import re
import secrets
import socket
import statistics
import struct
import threading
import time
import urllib.request
from urllib.parse import urlsplit

from servers import Coffer, Server
from tools import Trouble, curl, noise, program, run, wrk


def named(variable):
    if value := os.environ.get(variable):
        return value
    raise Trouble(f"{variable} is not set")


def mongodb():
    """A database of its own."""
    address = urlsplit(named("COFFER_TEST_MONGODB_URI"))
    return address._replace(path=f"/bench-{secrets.token_hex(4)}").geturl()


class S3Front(Server):
    """A bare nginx before the S3 server, which writes a line for every request: the rival, and what counts."""

    def __init__(self, folder):
        super().__init__(folder)
        server, user = urlsplit(named("AWS_ENDPOINT_URL")).netloc, "user root;" if os.geteuid() == 0 else ""
        self.requests = self.dir / "requests"
        (self.dir / "nginx.conf").write_text(f"""
{user} worker_processes 4; daemon off; pid {self.dir}/nginx.pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
    log_format line "$request_method $status"; access_log {self.requests} line; client_max_body_size 0;
    client_body_temp_path {self.dir}/spool; proxy_temp_path {self.dir}/spool; fastcgi_temp_path {self.dir}/spool;
    scgi_temp_path {self.dir}/spool; uwsgi_temp_path {self.dir}/spool;
    upstream s3 {{ server {server}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{self.port};
        location / {{
            proxy_pass http://s3; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
            proxy_request_buffering off; proxy_max_temp_file_size 0; proxy_buffers 16 64k; proxy_buffer_size 64k;
        }}
        location = /nothing {{ access_log off; return 200 "ok"; }}
    }}
}}
""")
        self.spawn(program("nginx"), "-p", self.dir, "-e", "stderr", "-c", self.dir / "nginx.conf")
        self.wait("/nothing")

    def count(self):
        return self.requests.read_text().count("\n")


class CofferS3(Coffer):
    """Contents in S3, records in SQLite."""

    def __init__(self, folder):
        self.uri = f"{named('COFFER_TEST_S3_URI')}/bench-{secrets.token_hex(4)}"
        super().__init__(folder, {"blobs": self.uri})


class CofferMongoDB(Coffer):
    """Records in MongoDB, contents on the disk."""

    def __init__(self, folder):
        super().__init__(folder, {"metadata": mongodb()})


# ---------------------------------------------------------------- large files and S3
def signed(key, port):
    """curl's own signature for an object, sent through the front; curl 7.88 signs only what says what its body's hash is."""
    bucket = urlsplit(named("COFFER_TEST_S3_URI")).netloc
    user = f"{named('AWS_ACCESS_KEY_ID')}:{named('AWS_SECRET_ACCESS_KEY')}"
    return f"http://127.0.0.1:{port}/{bucket}/{key}", "--aws-sigv4", f"aws:amz:{named('AWS_REGION')}:s3", "--user", user, "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"


def get_s3(bench):
    coffer, front = bench.server(CofferS3, bench.work), bench.server(S3Front, bench.work)
    path, key = noise(bench.work / "s3-file", bench.size), f"bench-{secrets.token_hex(4)}"
    curl(f"{coffer.url}/api/v1/content/large", "-T", path, cookie=coffer.cookie)
    url, *how = signed(key, front.port)
    curl(url, *how, "-T", path)
    try:
        return bench.compare(lambda n: bench.rate(curl(f"{coffer.url}/api/v1/content/large", cookie=coffer.cookie)),
                             lambda n: bench.rate(curl(url, *how)))
    finally:
        curl(url, *how, "-X", "DELETE")
        curl(f"{coffer.url}/api/v1/content/large", "-X", "DELETE", cookie=coffer.cookie)
        coffer.cli("gc")
        path.unlink()


def answer_after_last_byte(coffer, path, name):
    """Seconds from the last byte of a PUT to its answer."""
    with socket.create_connection(("127.0.0.1", coffer.port), timeout=600) as s, open(path, "rb") as f:
        s.sendall(f"PUT /api/v1/content/{name} HTTP/1.1\r\nHost: 127.0.0.1:{coffer.port}\r\nCookie: {coffer.cookie}\r\n"
                  f"Content-Length: {path.stat().st_size}\r\nConnection: close\r\n\r\n".encode())
        s.sendfile(f)
        sent = time.monotonic()
        status = s.makefile("rb").readline().split()[1]
        if not status.startswith(b"2"):
            raise Trouble(f"PUT {name}: {status.decode()}")
        return time.monotonic() - sent


def put_s3(bench):
    if not program("aws"):
        raise Trouble("aws is missing (pip install awscli)")
    coffer, path = bench.server(CofferS3, bench.work), noise(bench.work / "s3-file", bench.size)
    target = f"{named('COFFER_TEST_S3_URI')}/bench-{secrets.token_hex(4)}"
    aws = [program("aws"), "--endpoint-url", named("AWS_ENDPOINT_URL"), "s3"]

    def ours(n):
        seconds = answer_after_last_byte(coffer, path, "large")
        curl(f"{coffer.url}/api/v1/content/large", "-X", "DELETE", cookie=coffer.cookie)
        coffer.cli("gc")
        return seconds

    def theirs(n):
        began = time.monotonic()
        run(*aws, "cp", "--no-progress", path, target)
        seconds = time.monotonic() - began
        run(*aws, "rm", target)
        return seconds
    try:
        return bench.compare(ours, theirs)
    finally:
        path.unlink()


# ---------------------------------------------------------------- requests per upload
class Tap(threading.Thread):
    """Passes MongoDB's protocol on and counts the messages to the server, but for the driver's own greetings."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.to, self.commands = (server.hostname, server.port or 27017), 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(self.to)
            threading.Thread(target=self.count, args=(client, server), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, client), daemon=True).start()

    def count(self, client, server):
        with client.makefile("rb") as f, server:
            while head := f.read(16):  # OP_MSG and OP_QUERY begin with their length
                body = f.read(struct.unpack("<i", head[:4])[0] - 16)
                self.commands += not re.search(rb"hello|ismaster", body[:64], re.I)
                server.sendall(head + body)

    def copy(self, server, client):
        try:
            while piece := server.recv(1 << 16):
                client.sendall(piece)
        except OSError:
            pass
        client.close()


class CofferCounted(Coffer):
    """MongoDB and S3, with both ways watched."""

    def __init__(self, folder):
        uri = urlsplit(mongodb())
        self.front, self.tap = S3Front(folder / "front"), Tap(uri)
        uri = uri._replace(netloc=f"127.0.0.1:{self.tap.port}", query="directConnection=true")
        try:
            super().__init__(folder, {"metadata": uri.geturl(), "s3_endpoint": self.front.url,
                                      "blobs": f"{named('COFFER_TEST_S3_URI')}/bench-{secrets.token_hex(4)}"})
        except BaseException:
            self.front.stop()
            raise

    def stop(self):
        super().stop()
        self.front.stop()


def requests_per_upload(bench, uploads=20):
    """Medians over so many, one after the other; the keeper's own are few and fall out."""
    coffer, path, mongo, s3 = bench.server(CofferCounted, bench.work), noise(bench.work / "small", 1), [], []
    os.truncate(path, 10 * 1024)
    for n in range(uploads):
        before = coffer.tap.commands, coffer.front.count()
        curl(f"{coffer.url}/api/v1/content/f{n}.txt", "-T", path, cookie=coffer.cookie)
        time.sleep(0.05)  # nginx writes its line after the answer
        mongo.append(coffer.tap.commands - before[0])
        s3.append(coffer.front.count() - before[1])
    return {"value": statistics.median(mongo), "note": f"and {statistics.median(s3):.0f} to S3"}


# ---------------------------------------------------------------- MongoDB against SQLite
API_ROWS = [  # no HEAD: wrk waits for the body that its answer announces; name, method, address with {n} for something new each time and {id} for a file's id, body
    ("me", "GET", "/api/v1/me", None),
    ("list 100", "GET", "/api/v1/files?limit=100", None),
    ("info", "GET", "/api/v1/files/{id}/info", None),
    ("get 10 KB", "GET", "/api/v1/content/f0", None),
    ("put 10 KB", "PUT", "/api/v1/content/n{n}", "x" * 10240),
    ("folder", "POST", "/api/v1/folders", '{"name": "d{n}"}'),
    ("rename", "PATCH", "/api/v1/files/{id}", '{"name": "r{n}"}'),
]
API_SCRIPT = """
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
function init(args)
    n, round = 0, args[1]
    wrk.headers["Content-Type"] = %(kind)s
end
function request()
    n = n + 1
    local unique = round .. "-" .. number .. "-" .. n
    local body = %(body)s
    return wrk.format(%(method)s, (string.gsub(%(path)s, "{n}", unique)), nil, body and (string.gsub(body, "{n}", unique)))
end
"""


def furnish(coffer, path):
    """A hundred files; gives one's id, which is not the one that is read."""
    for n in range(100):
        curl(f"{coffer.url}/api/v1/content/f{n}", "-T", path, cookie=coffer.cookie)
    request = urllib.request.Request(f"{coffer.url}/api/v1/files?limit=100", headers={"Cookie": coffer.cookie})
    with urllib.request.urlopen(request) as response:
        return next(item["id"] for item in json.load(response)["items"] if item["name"] == "f99")


def lua(text):
    return "nil" if text is None else json.dumps(text)


def mongodb_rows(bench):
    path = noise(bench.work / "small", 1)
    os.truncate(path, 10 * 1024)
    ours, theirs = bench.server(CofferMongoDB, bench.work), bench.server(Coffer, bench.work)
    ids, script, table = {c: furnish(c, path) for c in (ours, theirs)}, bench.work / "api.lua", []
    for name, method, address, body in API_ROWS:
        def rate(coffer, n):
            script.write_text(API_SCRIPT % {"body": lua(body), "method": lua(method), "path": lua(address.replace("{id}", ids[coffer])),
                                            "kind": lua("application/json" if method in ("POST", "PATCH") else "text/plain")})
            clients = 1 if name == "rename" else 16  # of one file, one at a time
            return wrk(coffer.url, bench.options.seconds, script, f"{name.replace(' ', '')}{n}", coffer.cookie, clients=clients)
        result = bench.compare(lambda n: rate(ours, n), lambda n: rate(theirs, n))
        table.append(f"{name:10} {result['ratio']:5.2f}   {result['ours']:,.0f} against {result['theirs']:,.0f} /s")
    return {"table": table}


def memory_s3(bench):
    """What the largest worker has of its own, with a large file and with one an eighth of it."""
    large, small = bench.memory_use(CofferS3), bench.memory_use(CofferS3, 8)
    return {"ours": large["own"], "theirs": small["own"], "ratio": large["own"] / small["own"], "note": large["note"]}
