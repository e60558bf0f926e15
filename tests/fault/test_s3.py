"""Contents in S3, and an S3 that is down, slow, cut off, lying or refuses. Between the two stands s3proxy.py.

Needs a real server: COFFER_TEST_S3_URI=s3://BUCKET/PREFIX with AWS_ENDPOINT_URL (plain http), AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY; tests/servers/s3 starts one.
"""
import datetime
import http.server
import json
import os
import secrets
import threading
import time

import httpx
import pytest

from harness import HarnessError, Noise, ok, problem, s3_client, wait_for
from s3proxy import S3Proxy

URI = os.environ.get("COFFER_TEST_S3_URI")
pytestmark = pytest.mark.skipif(not URI, reason="COFFER_TEST_S3_URI is not set: no S3 server to test against")
MB = 1 << 20


def error(code):
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>hidden words</Message></Error>".encode()


@pytest.fixture
def proxy():
    with S3Proxy(os.environ["AWS_ENDPOINT_URL"].removeprefix("http://").rstrip("/")) as proxy:
        yield proxy


@pytest.fixture
def coffer(proxy, server_factory):
    coffer = server_factory(store_blobs=f"{URI}/{secrets.token_hex(8)}", store_s3_endpoint=proxy.url)
    proxy.heads.clear()
    yield coffer
    proxy.behave()
    found = coffer.fsck()
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.fixture
def alice(coffer):
    return coffer.person()


def records(coffer):
    return list((coffer.data / "s3-multipart").iterdir())


# ---------------------------------------------------------------- when all is well
@pytest.mark.parametrize("size", [0, 1, 10_000, 300_000, 5 * MB, 40 * MB])
def test_what_is_stored_comes_back(alice, size):
    data = Noise(size, seed=size).read()
    tag = ok(alice.put("a", data), 201).headers["etag"]
    whole = ok(alice.content("a"))
    assert whole.content == data and whole.headers["etag"] == tag
    assert int(ok(alice.head("/api/v1/content/a")).headers["content-length"]) == size
    assert alice.content("a", headers={"If-None-Match": tag}).status_code == 304
    assert ok(alice.content("a", headers={"If-Match": tag})).content == data
    if size > 1:
        part = alice.content("a", headers={"Range": "bytes=1-9"})
        assert (part.status_code, part.content) == (206, data[1:10])
        assert part.headers["content-range"] == f"bytes 1-9/{size}"
        assert ok(alice.content("a", headers={"Range": "bytes=1-9", "If-Range": '"other"'})).content == data
        assert alice.content("a", headers={"Range": f"bytes={size}-"}).status_code == 416


def test_a_small_upload_is_one_request(proxy, alice):
    ok(alice.put("a", b"x" * 10_000), 201)
    assert [line.split()[0] for line in proxy.requests()] == ["PUT"]


def test_a_download_is_one_request_and_a_question_none(proxy, alice):
    tag = ok(alice.put("a", b"x" * 10_000), 201).headers["etag"]
    proxy.heads.clear()
    ok(alice.content("a"))
    assert len(proxy.heads) == 1
    ok(alice.head("/api/v1/content/a"))
    alice.content("a", headers={"If-None-Match": tag})
    alice.content("a", headers={"Range": "bytes=10000-"})
    assert len(proxy.heads) == 1


def test_nothing_of_the_client_reaches_s3(proxy, alice):
    ok(alice.put("a", b"x" * 1000), 201)
    proxy.heads.clear()
    ok(alice.content("a", headers={"If-None-Match": '"other"', "If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT", "If-Range": '"other"',
                                   "Range": "bytes=1-2", "X-Amz-Acl": "public-read", "Accept-Language": "tlh", "User-Agent": "odd one"}))
    head = proxy.heads[0].lower()
    for word in (b"cookie", b"if-none-match", b"if-modified", b"if-range", b"range:", b"x-amz-acl", b"accept-language", b"odd one"):
        assert word not in head, head
    assert b"authorization: aws4-hmac-sha256 " in head


def test_removed_contents_leave_the_bucket(proxy, server_factory):
    coffer = server_factory(store_blobs=f"{URI}/{secrets.token_hex(8)}", gc_grace="0")
    alice = coffer.person()
    ok(alice.put("a", b"x" * 1000), 201)
    ok(alice.delete("/api/v1/content/a"), 204)
    coffer.cli("gc")
    assert "0 damaged, 0 repaired, 0 notes" in coffer.fsck().stdout


def test_others_objects_are_left_alone(server_factory):
    """Beside ours, above ours, and even among ours: what has no name of ours is nobody's to touch."""
    uri, s3 = f"{URI}/{secrets.token_hex(8)}", s3_client()
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    others = [f"{prefix}{key}" for key in (
        "-two/blobs/0123456789abcdef0123456789abcdef", "/letter.txt", "/store_id.bak", "/blobs/letter.txt", "/blobs/0123456789abcdef",
        "/blobs/0123456789abcdef0123456789abcdef.bak", "/blobs/deeper/0123456789abcdef0123456789abcdef", "/lost/letter.txt")]
    made = {key: s3.put_object(Bucket=bucket, Key=key, Body=key.encode())["ETag"] for key in others}
    coffer = server_factory(store_blobs=uri, gc_grace="0", gc_lost="0")
    alice = coffer.person()
    ok(alice.put("a", b"x" * 1000), 201)
    ok(alice.delete("/api/v1/content/a"), 204)
    ok(alice.put("b", b"x" * 1000), 201)
    coffer.cli("gc")
    coffer.cli("keeper", "--once")
    assert "0 damaged, 0 repaired, 0 notes" in coffer.fsck("--repair").stdout
    assert {key: s3.head_object(Bucket=bucket, Key=key)["ETag"] for key in others} == made


# ---------------------------------------------------------------- what S3 says goes no further
INJECTED = b"""X-Accel-Redirect: /assets/manifest.json\r
X-Accel-Limit-Rate: 1\r
X-Accel-Buffering: no\r
Set-Cookie: coffer=stolen\r
Content-Type: text/html\r
Content-Disposition: inline\r
Content-Encoding: gzip\r
Content-Security-Policy: default-src *\r
ETag: "theirs"\r
Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r
Access-Control-Allow-Origin: *\r
Location: https://example.org/\r
Refresh: 0; url=https://example.org/\r
Link: <https://example.org/a.css>; rel=stylesheet\r
Clear-Site-Data: "*"\r
x-amz-meta-coffer-put: secret\r
"""


def test_injected_headers_reach_nobody(proxy, alice):
    ok(alice.put("a.txt", b"x" * 1000), 201)
    plain = ok(alice.content("a.txt"))
    proxy.inject(INJECTED)
    answer = ok(alice.content("a.txt"))
    assert answer.content == plain.content
    drop = ("date",)
    assert sorted((k, v) for k, v in answer.headers.multi_items() if k not in drop) == sorted(
        (k, v) for k, v in plain.headers.multi_items() if k not in drop)


def test_a_redirect_is_not_followed(proxy, alice):
    ok(alice.put("a", b"x" * 1000), 201)
    proxy.status(307, error("TemporaryRedirect"), b"Location: http://127.0.0.1:1/\r\n")
    problem(alice.content("a"), 503, "storage-refused")


# ---------------------------------------------------------------- faults that pass
ONCE = {
    "busy": lambda p, m: p.status(503, times=1, match=m),
    "internal error": lambda p, m: p.status(500, error("InternalError"), times=1, match=m),
    "reset": lambda p, m: p.reset(times=1, match=m),
    "request cut": lambda p, m: p.cut_request(100, times=1, match=m),
    "answer lost": lambda p, m: p.swallow_answer(times=1, match=m),
    "answer cut": lambda p, m: p.cut_answer(20, times=1, match=m),
    "late": lambda p, m: p.delay(2, times=1, match=m),
}


@pytest.mark.parametrize("fault", ONCE)
@pytest.mark.parametrize("size", [1000, 3 * MB])
def test_an_upload_survives(proxy, alice, fault, size):
    data = Noise(size, seed=1).read()
    ONCE[fault](proxy, b"PUT ")
    ok(alice.put("a", data), 201)
    proxy.behave()
    assert ok(alice.content("a")).content == data


def test_a_lost_answer_is_looked_up_and_nothing_sent_twice(proxy, alice):
    proxy.swallow_answer(times=1, match=b"PUT ")
    ok(alice.put("a", b"x" * 1000), 201)
    assert [line.split()[0] for line in proxy.requests()] == ["PUT", "HEAD"]


@pytest.mark.parametrize("fault", ONCE)
@pytest.mark.parametrize("step", [b"?uploads", b"partNumber=2", b"POST /"])
def test_a_large_upload_survives(proxy, coffer, alice, fault, step):
    data = Noise(36 * MB, seed=2).read()
    ONCE[fault](proxy, step)
    ok(alice.put("a", data), 201)
    proxy.behave()
    assert ok(alice.content("a")).content == data
    assert records(coffer) == []


def test_a_200_with_an_error_in_it_is_an_error(proxy, coffer, alice):
    data = Noise(20 * MB, seed=3).read()
    proxy.status(200, error("InternalError"), times=1, match=b"?uploadId=")
    ok(alice.put("a", data), 201)
    assert ok(alice.content("a")).content == data
    proxy.status(200, error("SomethingNew"), match=b"POST ")
    assert alice.put("b", data).status_code == 503
    assert alice.names() == ["a"]


@pytest.mark.parametrize("fault", [name for name in ONCE if name not in ("answer cut", "request cut")])
def test_a_download_survives(proxy, alice, fault):
    data = Noise(3 * MB, seed=4).read()
    ok(alice.put("a", data), 201)
    ONCE[fault](proxy, b"GET ")
    assert ok(alice.content("a")).content == data


def test_a_download_that_breaks_off_is_seen_to(proxy, alice):
    ok(alice.put("a", Noise(3 * MB).read()), 201)
    proxy.cut_answer(MB, match=b"GET ")
    with pytest.raises(httpx.HTTPError):
        alice.content("a")


# ---------------------------------------------------------------- faults that stay
REFUSALS = [
    (403, "InvalidAccessKeyId", "storage-refused", "unknown-key"), (403, "SignatureDoesNotMatch", "storage-refused", "wrong-secret"),
    (403, "AccessDenied", "storage-refused", "access-denied"), (404, "NoSuchBucket", "storage-refused", "no-such-bucket"),
    (301, "PermanentRedirect", "storage-refused", "wrong-region"), (400, "AuthorizationHeaderMalformed", "storage-refused", "wrong-region"),
    (403, "RequestTimeTooSkewed", "storage-refused", "clock-skew"), (400, "ExpiredToken", "storage-refused", "expired-token"),
    (503, "SlowDown", "store-unavailable", "slow-down"), (200, "Nonsense", "store-unavailable", "nonsense"),
]


@pytest.mark.parametrize("status, code, public, name", [r for r in REFUSALS if r[0] != 200])
def test_what_is_wrong_is_told_apart(proxy, coffer, alice, status, code, public, name):
    ok(alice.put("a", b"x" * 1000), 201)
    proxy.status(status, error(code))
    said = set()
    for answer in (alice.put("b", b"y" * 1000), alice.content("a")):
        document = problem(answer, 503, public)
        assert int(answer.headers["retry-after"]) > 0
        assert document["detail"] != document["title"], document
        assert not any(word in answer.text for word in ("hidden words", os.environ["AWS_ACCESS_KEY_ID"], proxy.address, code)), answer.text
        said.add(document["detail"])
    assert len(said) == 1
    assert f": {name} (status {status}) {code}: hidden words" in coffer.log_text()
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in coffer.logs()
    assert alice.names() == ["a"]
    proxy.behave()
    ok(alice.put("b", b"y" * 1000), 201)
    ok(alice.content("a"))


def test_large_uploads_that_fail_leave_no_parts(proxy, coffer, alice):
    proxy.status(403, error("AccessDenied"), match=b"partNumber=2")
    problem(alice.put("a", b"x" * 40 * MB), 503, "storage-refused")
    assert [line.split()[0] for line in proxy.requests()][-1] == "DELETE"
    assert records(coffer) == []
    assert coffer.spool_is_empty()


SILENT_S = 12  # two tries of 4 s, each to the second, and the pause between


def within(seconds, call):
    began = time.monotonic()
    answer = call()
    took = time.monotonic() - began
    assert took < seconds, f"{took:.1f} s"
    return answer


def test_down_in_the_middle_and_back_again(proxy, coffer, alice):
    ok(alice.put("a", b"x" * 1000), 201)
    proxy.down()
    for _ in range(3):
        problem(within(3, lambda: alice.put("b", b"y" * 1000)), 503, "store-unavailable")
        problem(within(3, lambda: alice.content("a")), 503, "store-unavailable")
        assert within(1, alice.names) == ["a"]
    assert "no-connection" in coffer.log_text()
    proxy.up()
    began = time.monotonic()
    assert wait_for(lambda: alice.put("b", b"y" * 1000).status_code == 201, 5)
    ok(alice.content("a"))
    assert time.monotonic() - began < 2


def test_silence_holds_up_nobody_else(proxy, coffer, alice):
    ok(alice.put("a", b"x" * 1000), 201)
    proxy.black_hole(match=b"PUT ")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(within(SILENT_S, lambda: alice.put("b", b"y" * 1000))))
    thread.start()
    other = coffer.person()
    while thread.is_alive():
        within(2, other.names)
        ok(within(2, lambda: alice.content("a")))
        time.sleep(0.5)
    problem(answers[0], 503, "store-unavailable")
    assert "timeout" in coffer.log_text()


def test_down_at_the_start_is_refused_when_told_so(proxy, server_factory):
    coffer = server_factory(store_blobs=f"{URI}/{secrets.token_hex(8)}", store_s3_endpoint=proxy.url, store_wait="0", start=False)
    proxy.down()
    with pytest.raises(HarnessError, match="no-connection"):
        coffer.start()
    proxy.up()
    coffer.stop()
    coffer.start()


def test_down_at_the_start_is_waited_for(proxy, server_factory):
    coffer = server_factory(store_blobs=f"{URI}/{secrets.token_hex(8)}", store_s3_endpoint=proxy.url, start=False)
    proxy.down()
    threading.Timer(4, proxy.up).start()
    began = time.monotonic()
    coffer.start()
    assert time.monotonic() - began > 3
    assert coffer.log_text().count("trying again for 30 s (store.wait)") == 1
    ok(coffer.person().put("a", b"x"), 201)


def test_a_bucket_of_another_installation_is_refused(server_factory):
    blobs = f"{URI}/{secrets.token_hex(8)}"
    server_factory(store_blobs=blobs)
    with pytest.raises(HarnessError, match="different installations"):
        server_factory(store_blobs=blobs)


def test_a_crash_in_the_middle_leaves_no_parts(proxy, coffer, alice):
    proxy.black_hole(match=b"partNumber=2")
    thread = threading.Thread(target=lambda: pytest.raises(Exception, ok, alice.put("a", b"x" * 40 * MB)), daemon=True)
    thread.start()
    assert wait_for(lambda: records(coffer) and any("partNumber=2" in line for line in proxy.requests()), 20)
    coffer.kill(*coffer.workers("bulk"))
    thread.join(20)
    proxy.behave()
    coffer.cli("keeper", "--once")
    assert records(coffer) == []
    assert proxy.requests(b"DELETE")[-1].count("uploadId=") == 1
    assert alice.names() == []


# ---------------------------------------------------------------- credentials
def profile(path, secret):
    path.write_text(f"[default]\naws_access_key_id = {os.environ['AWS_ACCESS_KEY_ID']}\naws_secret_access_key = {secret}\n")


def test_rotated_keys_are_picked_up(tmp_path, proxy, server_factory, monkeypatch):
    path, secret = tmp_path / "credentials", os.environ["AWS_SECRET_ACCESS_KEY"]
    profile(path, secret)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "")
    coffer = server_factory(store_blobs=f"{URI}/{secrets.token_hex(8)}", store_s3_endpoint=proxy.url)
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
    alice = server_factory(store_blobs=f"{URI}/{secrets.token_hex(8)}", store_s3_endpoint=proxy.url).person()
    ok(alice.put("a", b"1"), 201)
    assert ok(alice.content("a")).content == b"1"


def test_a_roles_keys_are_changed_before_they_end(proxy, server_factory, role):
    role.minutes = 360
    alice = server_factory(store_blobs=f"{URI}/{secrets.token_hex(8)}", store_s3_endpoint=proxy.url, pool_bulk="1").person()
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
        server_factory(store_blobs=f"{URI}/{secrets.token_hex(8)}", store_s3_endpoint=proxy.url)
