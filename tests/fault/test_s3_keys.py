"""The keys to S3: of a file, of the instance's role, rotated, over, or none."""
import datetime
import http.server
import json
import os
import threading

import pytest
from harness import HarnessError, ok, problem
from s3bench import error, needs_s3, new_blobs, proxy  # noqa: F401 (fixtures)

pytestmark = needs_s3


def profile(path, secret):
    path.write_text(f"[default]\naws_access_key_id = {os.environ['AWS_ACCESS_KEY_ID']}\naws_secret_access_key = {secret}\n")


def test_rotated_keys_are_picked_up(tmp_path, proxy, server_factory, monkeypatch):
    path, secret = tmp_path / "credentials", os.environ["AWS_SECRET_ACCESS_KEY"]
    profile(path, secret)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "")
    coffer = server_factory(store_blobs=new_blobs(), store_s3_endpoint=proxy.url)
    alice = coffer.person()
    ok(alice.put("a", b"1"), 201)
    profile(path, "no longer this")
    problem(alice.put("b", b"2"), 503, "storage-refused")
    problem(alice.content("a"), 503, "storage-refused")
    profile(path, secret)
    ok(alice.put("b", b"2"), 201)
    assert ok(alice.content("a")).content == b"1"


class Metadata(http.server.BaseHTTPRequestHandler):
    """An instance metadata service, version 2: nothing without a token."""
    keys, minutes, asked, away = {}, 0, 0, False

    def do_PUT(self):
        if self.away:
            return self.say(503, "")
        assert self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        return self.say(200, "the-token")

    def do_GET(self):
        role = "/latest/meta-data/iam/security-credentials/"
        if self.headers["X-aws-ec2-metadata-token"] != "the-token":
            return self.say(401, "")
        if self.path == role:
            return self.say(200, "the-role")
        if self.path != role + "the-role":
            return self.say(404, "")
        Metadata.asked += 1
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=self.minutes)
        return self.say(200, json.dumps({
            "Code": "Success", "AccessKeyId": self.keys["AWS_ACCESS_KEY_ID"], "SecretAccessKey": self.keys["AWS_SECRET_ACCESS_KEY"],
            "Token": "", "Expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ")}))

    def say(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def role(monkeypatch, tmp_path):
    """This machine has a role, whose keys are good for role.minutes and were asked for role.asked times."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        Metadata.keys[name] = os.environ[name]
        monkeypatch.delenv(name)
    Metadata.away = False
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata) as service:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{service.server_port}")
        threading.Thread(target=service.serve_forever, daemon=True).start()
        yield Metadata
        service.shutdown()


def test_the_instances_role_is_used(proxy, server_factory, role):
    role.minutes = 360
    alice = server_factory(store_blobs=new_blobs(), store_s3_endpoint=proxy.url).person()
    ok(alice.put("a", b"1"), 201)
    assert ok(alice.content("a")).content == b"1"


def test_a_roles_keys_are_changed_before_they_end(proxy, server_factory, role):
    role.minutes = 360
    alice = server_factory(store_blobs=new_blobs(), store_s3_endpoint=proxy.url, pool_bulk="1").person()
    ok(alice.put("a", b"1"), 201)
    asked = role.asked
    ok(alice.put("b", b"2"), 201)
    assert role.asked == asked, "good for hours, and asked for again"
    role.minutes = 4
    proxy.status(403, error("ExpiredToken"), match=b"PUT ", times=1)
    ok(alice.put("c", b"3"), 201)
    assert role.asked == asked + 1, "keys that S3 calls over are replaced"
    ok(alice.put("d", b"4"), 201)
    assert role.asked == asked + 2, "keys that end soon are replaced in time"
    role.away = True
    ok(alice.put("e", b"5"), 201)  # and until then the old ones do


def test_no_credentials_are_said(proxy, server_factory, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(HarnessError, match="no-credentials.*AWS_ACCESS_KEY_ID"):
        server_factory(store_blobs=new_blobs(), store_s3_endpoint=proxy.url)
