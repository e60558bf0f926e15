"""What nobody should send: a 4xx that names the cause, nothing stored, no worker dead, nobody else's data."""
import concurrent.futures
import os
import secrets
import select
import socket
import time
from urllib.parse import quote

import pytest
from harness import FCGI_PARAMS, fcgi_record, ok, problem, read_answer, wait_for

TEN_GB = 10 << 30


@pytest.fixture(autouse=True)
def no_worker_dies(server):
    before = server.workers()
    yield
    assert server.workers() == before and server.healthy()


@pytest.fixture
def nothing_stored(server, alice):
    """Alice's space, the spool and the blobs are afterwards as before."""
    blobs = server.blobs()
    yield alice
    assert alice.names() == [] and alice.me()["used"] == 0
    assert server.blobs() == blobs
    assert server.spool_is_empty()


# ---- paths
TRAVERSAL = ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "%2E%2E%5C", "..%5c", "..\\", "%c0%ae%c0%ae/", "%e0%80%ae%e0%80%ae/", "..;/",
             "%252e%252e%252f", "..%00/", "..%0d/", "./", "%2e/", "//", "..%c1%9c", "%uff0e%uff0e/", "．．/", "..%ef%bc%8f"]


@pytest.mark.parametrize("step", TRAVERSAL)
@pytest.mark.parametrize("base", ["/api/v1/content/", "/api/v1/files/", "/uploads/", "/download/", "/folder/", "/assets/"])
def test_no_path_leads_out(server, alice, step, base):
    for target in (base + step * 8 + "etc/passwd", base + "x/" + step * 8 + "etc/passwd"):
        answer = server.raw(server.request_text("GET", target, cookie=alice.cookie))
        assert 400 <= answer.status < 500 or (answer.status == 303 and base == "/folder/"), answer
        assert b"root:" not in answer.body


@pytest.mark.parametrize("step", TRAVERSAL)
def test_nothing_is_written_outside(server, alice, step):
    target = "/api/v1/content/" + step * 8 + "tmp/coffer-was-here"
    answer = server.raw(server.request_text("PUT", target, "Content-Length: 1", cookie=alice.cookie) + b"x")
    assert 400 <= answer.status < 500 and not os.path.exists("/tmp/coffer-was-here"), answer


def test_dot_segments_are_refused_with_a_code(server, alice):
    answer = server.raw(server.request_text("GET", "/api/v1/content/a/%2e%2e/b", cookie=alice.cookie))
    problem(answer, 400, "bad-path")


@pytest.mark.parametrize("path", ["%ff", "a%c3", "%ed%a0%80", "%f4%90%80%80", "%c0%80", "a%", "a%2", "a%zz", "%00", "a%00b"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_invalid_paths(server, nothing_stored, method, path):
    head = server.request_text(method, "/api/v1/content/" + path, "Content-Length: 1", cookie=nothing_stored.cookie)
    answer = server.raw(head + b"x")
    if answer.header("content-type").startswith("application/problem+json"):
        assert answer.json()["code"] in ("bad-path", "bad-request", "bad-name")
    assert answer.status in (400, 422)


def test_raw_bytes_in_a_path(server, nothing_stored):
    for path in (b"\xff\xfe", b"a\x01b", b"a\x7fb", b"a b"):
        head = b"GET /api/v1/content/" + path + b" HTTP/1.1\r\nHost: " + server.authority.encode() + b"\r\nConnection: close\r\n\r\n"
        assert 400 <= server.raw(head).status < 500


def test_an_endless_address(server, alice):
    for n in (17_000, 100_000):
        answer = server.raw(server.request_text("GET", "/api/v1/content/" + "a" * n, cookie=alice.cookie))
        problem(answer, 414, "uri-too-long")


def test_ten_thousand_segments(server, alice):
    answer = server.raw(server.request_text("GET", "/api/v1/content/" + "a/" * 8000, cookie=alice.cookie))
    assert 400 <= answer.status < 500


# ---- names
REFUSED_NAMES = ["", ".", "..", "a/b", "a\\b", "a\0b", "a\nb", "a\x1fb", "a\x7fb", "a\x85b", "a\u202eb", "a\u061cb", "a\u200eb", "a\u200fb",
                 "a\u2066b", "a\u2069b", "a\u2028b", "a\u2029b", "\ufeffa", "n" * 256, "ü" * 128, "€" * 86]


@pytest.mark.parametrize("name", REFUSED_NAMES, ids=ascii)
def test_refused_names_of_folders(nothing_stored, name):
    response = nothing_stored.post("/api/v1/folders", json={"name": name})
    assert response.status_code in (400, 422) and response.json()["code"] in ("bad-name", "bad-json", "missing-field", "invalid-field")
    if "\0" not in name and name:
        assert problem(response, 422, "bad-name")["field"] == "name"


@pytest.mark.parametrize("name", [n for n in REFUSED_NAMES if n not in ("", "a/b")], ids=ascii)
def test_refused_names_in_paths(server, nothing_stored, name):
    target = "/api/v1/content/" + quote(name, safe="")
    answer = server.raw(server.request_text("PUT", target, "Content-Length: 1", cookie=nothing_stored.cookie) + b"x")
    assert (answer.status, answer.json()["code"]) in ((422, "bad-name"), (400, "bad-path"), (400, "bad-request")), answer
    large = server.raw(server.request_text("PUT", target, "Content-Length: 300000", cookie=nothing_stored.cookie) + b"x" * 300_000)
    assert (large.status, large.json()["code"]) == (answer.status, answer.json()["code"])


@pytest.mark.parametrize("name", ["n" * 255, "ü" * 127, "👩\u200d👩\u200d👧\u200d👦.jpg", "می\u200cخواهم", " lead", "trail ", "a..b", "...", "-rf", "~", "*?",
                                  "con", "a:b", "$(reboot)", "`id`", "%2e%2e", "<img onerror=alert(1) src=x>", 'a"; filename=b', "a'b", "\U0001f600",
                                  "q\u0303", "‹›", "{{name}}", "robots.txt", "; DROP TABLE node; --"], ids=ascii)
def test_odd_names_come_back_as_they_were(alice, name):
    ok(alice.upload((name, b"odd")), 201) if '"' not in name else ok(alice.put(quote(name, safe=""), b"odd"), 201)
    assert alice.names() == [name]
    path = quote(name, safe="")
    assert ok(alice.content(path)).content == b"odd"
    ok(alice.delete(f"/api/v1/content/{path}"), 204)


def test_invalid_utf8_in_json(nothing_stored):
    for body in (b'{"name": "a\xff"}', b'{"name": "\xed\xa0\x80"}', b'{"name": "\\ud800"}', b'{"name": "a\\u0000b"}', b"\xff\xfe{\0}\0"):
        response = nothing_stored.post("/api/v1/folders", content=body, headers={"Content-Type": "application/json"})
        assert response.status_code in (400, 422), (body, response.text)


# ---- JSON
def post_json(client, text, path="/api/v1/folders", kind="application/json"):
    return client.post(path, content=text, headers={"Content-Type": kind})


@pytest.mark.parametrize("text", ["", "{", "[1,]", "{'a': 1}", "nul", '{"a": NaN}', '{"name": "x"} x', "\0", '{"name": 1e999}'])
def test_broken_json(nothing_stored, text):
    response = post_json(nothing_stored, text)
    assert response.status_code in (400, 422) and response.json()["code"] in ("bad-json", "unknown-field", "invalid-field"), response.text


def test_json_that_does_not_end(nothing_stored):
    problem(post_json(nothing_stored, '{"name": "x"'), 400, "bad-json")


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000, '{"name": ' + "[" * 33 + "]" * 33 + "}"])
def test_deep_json(nothing_stored, text):
    problem(post_json(nothing_stored, text), 400, "too-deep")


def test_duplicate_keys(nothing_stored):
    assert problem(post_json(nothing_stored, '{"name": "a", "name": "b"}'), 400, "duplicate-field")["detail"]


@pytest.mark.parametrize("text", ["[]", '"x"', "1", "null", "true"])
def test_json_that_is_no_object(nothing_stored, text):
    response = post_json(nothing_stored, text)
    assert response.status_code in (400, 422)


@pytest.mark.parametrize("value", ["1", "true", "null", "[]", "{}"])
def test_a_field_of_another_type(nothing_stored, value):
    assert problem(post_json(nothing_stored, '{"name": %s}' % value), 422, "bad-name")["field"] == "name"
    assert problem(post_json(nothing_stored, '{"name": "a", "parent": %s}' % value), 422, "invalid-field")["field"] == "parent"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", ""])
def test_json_routes_take_json(nothing_stored, kind):
    problem(post_json(nothing_stored, '{"name": "a"}', kind=kind), 415, "unsupported-media-type")


def test_json_with_a_charset(alice):
    ok(post_json(alice, '{"name": "a"}', kind="Application/JSON; charset=UTF-8"), 201)


def test_json_of_more_than_a_mebibyte(nothing_stored):
    document = problem(post_json(nothing_stored, '{"name": "%s"}' % ("x" * (1 << 20))), 413, "too-large")
    assert document["limit"] == 1 << 20


# ---- headers twice
@pytest.mark.parametrize("one, two", [
    ("Authorization: Bearer a", "Authorization: Bearer b"), ("If-Range: \"a\"", "If-Range: \"b\""), ("Range: bytes=0-1", "Range: bytes=1-2"),
    ("Origin: http://a.example", "Origin: http://b.example"), ("Content-Type: application/json", "Content-Type: text/plain"),
    ("Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"), ("If-Modified-Since: x", "If-Modified-Since: y"),
    ("X-Anything: 1", "X-Anything: 2"),
])
def test_a_header_twice(server, alice, one, two):
    answer = server.raw(server.request_text("GET", "/api/v1/me", one, two, cookie=alice.cookie))
    assert answer.status == 400
    if answer.header("content-type").startswith("application/problem+json"):
        assert answer.json()["code"] in ("duplicate-header", "bad-request")


@pytest.mark.parametrize("headers", [
    ["Host: other.example"], ["Content-Length: 5", "Content-Length: 6"], ["Content-Length: 5", "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked, identity"], ["Transfer-Encoding: xchunked"],
    ["Content-Length: -1"], ["Content-Length: 1x"], ["Content-Length: 0x10"], ["Content-Length: 99999999999999999999"], ["Content-Length: +5"],
    ["Content-Length: 5, 5"],
])
@pytest.mark.parametrize("target", ["/api/v1/content/a", "/api/v1/folders"])
def test_a_body_of_unclear_length(server, nothing_stored, headers, target):
    method = "PUT" if "content" in target else "POST"
    with server.connect() as s:
        s.sendall(server.request_text(method, target, *headers, cookie=nothing_stored.cookie) + b"5\r\nhello\r\n0\r\n\r\n")
        answer = read_answer(s)
    assert answer is None or 400 <= answer.status < 600 and answer.status not in (500, 502), answer


# ---- bodies that break off or lie
@pytest.mark.stores
@pytest.mark.parametrize("size", [1000, 5_000_000], ids=["small", "large"])
@pytest.mark.parametrize("half_close", [True, False], ids=["half-close", "close"])
@pytest.mark.parametrize("kind", ["length", "chunked", "chunked inside"])
def test_a_body_cut_off_half_way(server, nothing_stored, size, half_close, kind):
    if kind == "length":
        head, body = f"Content-Length: {size}", b"x" * (size // 2)
    else:
        head, body = "Transfer-Encoding: chunked", b"%x\r\n%s" % (size // 2, b"x" * (size // 2 if kind == "chunked" else size // 4))
        body += b"\r\n" if kind == "chunked" else b""
    request = server.request_text("PUT", "/api/v1/content/a", head, cookie=nothing_stored.cookie) + body
    if half_close:
        answer = server.raw(request, half_close=True)
        assert answer is None or answer.status in (400, 408)
    else:
        with server.connect() as s:
            s.sendall(request)
    time.sleep(0.2)


@pytest.mark.stores
def test_a_form_cut_off_half_way(server, nothing_stored):
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"x" * 400_000
    head = server.request_text("POST", "/api/v1/upload", "Content-Type: multipart/form-data; boundary=b", "Content-Length: 800000",
                               cookie=nothing_stored.cookie)
    with server.connect() as s:
        s.sendall(head + body)
    time.sleep(0.2)


@pytest.mark.parametrize("chunk", [b"-5\r\nhello\r\n0\r\n\r\n", b"x\r\n", b"5\r\nhelloX\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n", b"5;" + b"a" * 100_000])
def test_broken_chunks(server, nothing_stored, chunk):
    head = server.request_text("PUT", "/api/v1/content/a", "Transfer-Encoding: chunked", cookie=nothing_stored.cookie)
    answer = server.raw(head + chunk, half_close=True)
    assert answer is None or 400 <= answer.status < 500, answer


def test_more_bytes_than_told_are_not_part_of_the_file(server, alice):
    head = server.request_text("PUT", "/api/v1/content/a", "Content-Length: 5", cookie=alice.cookie).replace(b"Connection: close\r\n", b"")
    with server.connect() as s:
        s.sendall(head + b"helloGET /api/v1/me HTTP/1.1\r\nHost: " + server.authority.encode() + b"\r\nConnection: close\r\n\r\n")
        assert read_answer(s).status == 201
    assert alice.content("a").content == b"hello"


def test_a_worker_hears_of_a_body_shorter_than_told(server, nothing_stored):
    """Straight to the worker: nginx is not the only one who checks."""
    params = server.fcgi_params("PUT", "/api/v1/content/a", CONTENT_LENGTH="1000", HTTP_COOKIE=f"coffer={nothing_stored.cookie}")
    problem(server.fcgi(params, b"x" * 500), 400, "incomplete-body")


def test_a_slow_client_holds_no_worker(server, alice):
    slow = []
    for n in range(3 * server.settings["pool.api"]):
        s = server.connect()
        s.sendall(server.request_text("PUT", f"/api/v1/content/{n}", "Content-Length: 300000", cookie=alice.cookie) + b"x" * 1000)
        slow.append(s)
    ok(alice.get("/api/v1/me"))
    assert select.select(slow, [], [], 0)[0] == [], "nobody was answered before the slow were given up"
    for s in slow:
        s.close()


# ---- a refused 10 GB upload: answered without its body, not a byte on disk
def refused(coffer, method, target, *headers, cookie=None, pieces=()):
    assert coffer.spool_is_empty()  # of the tests before
    answer = coffer.raw(coffer.request_text(method, target, f"Content-Length: {TEN_GB}", *headers, cookie=cookie), *pieces)
    assert answer.status != 408, "the refusal waited for the body"
    assert coffer.incoming() == []
    return answer


@pytest.mark.door
@pytest.mark.parametrize("headers", [[], ["Expect: 100-continue"]], ids=["at once", "asks first"])
def test_10_gb_from_nobody(server, headers):
    problem(refused(server, "PUT", "/api/v1/content/a", *headers), 401, "not-signed-in")


def test_10_gb_while_the_client_is_sending(server):
    problem(refused(server, "PUT", "/api/v1/content/a", pieces=[b"x" * 1_000_000] * 3), 401, "not-signed-in")


def test_10_gb_into_no_folder(server, nothing_stored):
    problem(refused(server, "PUT", "/api/v1/content/no/such", cookie=nothing_stored.cookie), 409, "no-parent")


def test_10_gb_form_from_another_site(server, nothing_stored):
    answer = refused(server, "POST", "/api/v1/upload", "Sec-Fetch-Site: cross-site", "Content-Type: multipart/form-data; boundary=x",
                     cookie=nothing_stored.cookie)
    problem(answer, 403, "cross-site")


def test_10_gb_to_a_route_without_uploads(server, nothing_stored):
    problem(refused(server, "POST", "/api/v1/folders", "Content-Type: application/json", cookie=nothing_stored.cookie), 413, "too-large")


@pytest.mark.parametrize("method, target", [("PUT", "/api/v1/content/a"), ("POST", "/api/v1/upload")])
def test_10_gb_over_the_limits(server_factory, method, target):
    for setting, code, status in (("limits_upload", "too-large", 413), ("quota_default", "quota-exceeded", 507)):
        coffer = server_factory(**{setting: "1G"})
        alice = coffer.person()
        answer = refused(coffer, method, target, "Content-Type: multipart/form-data; boundary=x", cookie=alice.cookie)
        assert problem(answer, status, code)["limit"] == 1 << 30
        assert alice.me()["used"] == 0


@pytest.mark.stores
def test_a_chunked_body_over_its_limit(server_factory):
    coffer = server_factory(limits_chunked="1M")
    alice = coffer.person()
    problem(alice.put("a", iter([b"x" * 600_000] * 2)), 413, "too-large")
    assert alice.names() == [] and coffer.spool_is_empty() and wait_for(lambda: coffer.blobs() == [])


# ---- the front key and the body file, past nginx
@pytest.mark.door
@pytest.mark.parametrize("key", [None, "", "1:", "1:wrong", "2:SAME", "SAME", "1:SAMEx", "0:SAME"])
def test_a_forged_front_key(server, alice, key):
    right = server.front_key()[2:]
    front = key if key is None else key.replace("SAME", right)
    params = server.fcgi_params("GET", "/api/v1/me", COFFER_FRONT=front, HTTP_COOKIE=f"coffer={alice.cookie}")
    for role in ("api", "login", "bulk"):
        answer = server.fcgi(params, role=role)
        problem(answer, 503, "front-key")
        assert right.encode() not in answer.body


def test_the_right_front_key_passes(server, alice):
    answer = server.fcgi(server.fcgi_params("GET", "/api/v1/me", HTTP_COOKIE=f"coffer={alice.cookie}"))
    assert answer.status == 200 and answer.json()["username"] == alice.name


def reserve(server, person, name, length):
    """As nginx asks before it stores a body; gives the reservation."""
    answer = server.fcgi(server.fcgi_params("PUT", f"/api/v1/content/{name}", COFFER_PHASE="reserve", COFFER_LENGTH=str(length),
                                            HTTP_COOKIE=f"coffer={person.cookie}"))
    assert answer.status == 204, answer
    return answer.header("coffer-upload")


def commit(server, person, path, length, upload, name="stolen"):
    return server.fcgi(server.fcgi_params("PUT", f"/api/v1/content/{name}", COFFER_PHASE="commit", COFFER_BODY_FILE=str(path),
                                          COFFER_LENGTH=str(length), COFFER_UPLOAD=upload, HTTP_COOKIE=f"coffer={person.cookie}"))


def reserve_and_commit(server, person, path, length):
    return commit(server, person, path, length, reserve(server, person, "stolen", length))


@pytest.fixture
def spooled(server):
    """Make files in incoming that nginx did not make; they are gone afterwards."""
    made = []

    def make(name, data=None):
        path = server.data / "incoming" / name
        made.append(path)
        if data is not None:
            path.unlink(missing_ok=True)  # never write into contents that were linked from here
            path.write_bytes(data)
            path.chmod(0o600)
        return path
    yield make
    for path in made:
        path.unlink(missing_ok=True)


def test_a_body_file_as_nginx_makes_it_is_taken(server, alice, spooled):
    path = spooled("0000999901", b"hello")
    assert reserve_and_commit(server, alice, path, 5).status == 201
    assert alice.content("stolen").content == b"hello"


def test_a_body_file_without_a_reservation_is_refused(server, nothing_stored, spooled):
    path = spooled("0000999908", b"hello")
    for upload in ("", "0" * 32, "x"):
        answer = commit(server, nothing_stored, path, 5, upload)
        assert answer.status >= 400 and answer.json()["code"] in ("front-key", "upload-gone", "bad-request"), answer
    path.unlink()


@pytest.mark.parametrize("path", ["PRIVATE", "KEY", "/etc/passwd", "/dev/zero", "INCOMING/../front.key", "INCOMING/./0000999902", "INCOMING//etc/passwd",
                                  "INCOMING/0000999902/../../front.key", "INCOMING/", "INCOMING", "INCOMING/nothing", "incoming/0000999902", "0000999902",
                                  "INCOMING/0000999999", "INCOMING/0000999902\n", "file:///etc/passwd"])
def test_a_forged_body_file(server, nothing_stored, spooled, path):
    spooled("0000999902", b"hello")
    real = path.replace("PRIVATE", str(server.private_file())).replace("KEY", str(server.data / "front.key")).replace("INCOMING", str(server.data / "incoming"))
    answer = reserve_and_commit(server, nothing_stored, real, 5)
    assert answer.status >= 400 and answer.json()["code"] in ("front-key", "bad-request"), answer
    assert server.private_file().exists() and (server.data / "front.key").exists()
    spooled("0000999902").unlink(missing_ok=True)


@pytest.mark.parametrize("kind", ["symlink", "fifo", "hard link", "folder", "socket"])
def test_a_body_file_of_another_kind(server, nothing_stored, spooled, kind):
    path = spooled("0000999903")
    if kind == "symlink":
        path.symlink_to(server.private_file())
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "hard link":
        os.link(server.data / "front.key", path)
    elif kind == "folder":
        path.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(path))
    try:
        problem(reserve_and_commit(server, nothing_stored, path, 65), 503, "front-key")
    finally:
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make another user's file")
def test_a_body_file_of_another_user(server, nothing_stored, spooled):
    path = spooled("0000999904", b"hello")
    os.chown(path, 12345, 12345)
    problem(reserve_and_commit(server, nothing_stored, path, 5), 503, "front-key")
    path.unlink()


def test_a_body_file_of_another_length(server, nothing_stored, spooled):
    for length in (4, 6, 500_000):
        problem(reserve_and_commit(server, nothing_stored, spooled("0000999905", b"hello"), length), 400, "incomplete-body")
    spooled("0000999905").unlink()


def test_somebody_elses_reservation(server, alice, bob, spooled):
    """Not to be used, not to be given back, and after all that still good for its owner."""
    upload, path = reserve(server, alice, "mine", 300_000), spooled("0000999906", b"x" * 300_000)
    problem(commit(server, bob, path, 300_000, upload, "mine"), 409, "upload-gone")
    assert alice.names() == [] and bob.names() == []
    server.fcgi(server.fcgi_params("PUT", "/api/v1/content/mine", COFFER_PHASE="disk-full", COFFER_UPLOAD=upload, HTTP_COOKIE=f"coffer={bob.cookie}"))
    assert commit(server, alice, path, 300_000, upload, "mine").status == 201 and alice.names() == ["mine"]


@pytest.mark.stores
def test_a_reservation_serves_once(server, alice, spooled):
    upload = reserve(server, alice, "mine", 300_000)
    assert commit(server, alice, spooled("0000999907", b"x" * 300_000), 300_000, upload, "mine").status == 201
    second = commit(server, alice, spooled("0000999909", b"y" * 300_000), 300_000, upload, "mine")
    problem(second, 409, "upload-gone")
    assert alice.content("mine").content == b"x" * 300_000 and alice.me()["used"] == 300_000


@pytest.mark.parametrize("header", ["Coffer-Front: 1:x", "Coffer-Phase: commit", "Coffer-Body-File: /etc/passwd", "COFFER_BODY_FILE: /etc/passwd",
                                    "X-Accel-Redirect: /_blob/", "Coffer-Upload: x", "Request-Body-File: /etc/passwd", "Proxy: http://evil.example",
                                    "X-Original-URL: /api/v1/login", "X-Rewrite-URL: /x", "X-HTTP-Method-Override: DELETE"])
@pytest.mark.parametrize("size", [5, 300_000])
def test_a_client_cannot_say_what_the_web_server_says(server, alice, header, size):
    head = server.request_text("PUT", "/api/v1/content/a", header, f"Content-Length: {size}", cookie=alice.cookie)
    assert server.raw(head + b"m" * size).status in (200, 201)
    assert alice.content("a").content == b"m" * size


@pytest.mark.door
def test_internal_locations_are_closed(server, alice):
    alice.file("a", b"hello")
    blob = alice.list()["items"][0]["etag"].strip('"')
    for target in (f"/_blob/{blob[:2]}/{blob}", "/_reserve", "/_plain/api", "/_small", "/_spool/put", "/_refused", "/_error/json", "/_spool_failed",
                   "/_refusal/json", "/%5fblob/" + blob[:2] + "/" + blob, "//_blob/" + blob[:2] + "/" + blob):
        for method in ("GET", "PUT", "POST"):
            answer = server.raw(server.request_text(method, target, "Content-Length: 0", cookie=alice.cookie))
            assert answer.status in (400, 404, 405), (target, answer)
            assert b"hello" not in answer.body


# ---- others' things
@pytest.mark.parametrize("method, path", [("GET", ""), ("HEAD", ""), ("GET", "/info"), ("DELETE", "")])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_somebody_elses_id_looks_like_no_id(alice, bob, method, path, kind):
    record = getattr(alice, kind)("private")
    theirs = bob.request(method, f"/api/v1/files/{record['id']}{path}")
    nobodys = bob.request(method, f"/api/v1/files/{secrets.token_hex(16)}{path}")
    assert theirs.status_code == nobodys.status_code == 404 and theirs.content == nobodys.content
    assert alice.names() == ["private"]


@pytest.mark.door
@pytest.mark.parametrize("act", ["list", "folder", "small upload", "large upload", "page", "page upload"])
def test_somebody_elses_folder_looks_like_no_folder(alice, bob, act):
    def ask(parent):
        size = 300_000 if act.startswith(("large", "page")) else 5
        return {
            "list": lambda: bob.get("/api/v1/files", params={"parent": parent}),
            "folder": lambda: bob.post("/api/v1/folders", json={"parent": parent, "name": "x"}),
            "small upload": lambda: bob.upload(("x", b"y" * size), parent=parent),
            "large upload": lambda: bob.upload(("x", b"y" * size), parent=parent),
            "page": lambda: bob.get(f"/folder/{parent}", headers={"Accept": "text/html"}),
            "page upload": lambda: bob.post(f"/folder/{parent}", files={"file": ("x", b"y" * size)}),
        }[act]()
    folder = alice.folder("private")["id"]
    theirs, nobodys = ask(folder), ask(secrets.token_hex(16))
    assert theirs.status_code == nobodys.status_code and theirs.status_code in (404, 409), theirs.text
    assert b"private" not in theirs.content and alice.names(folder) == []
    if theirs.headers["content-type"].startswith("application/problem+json"):
        assert theirs.json() == nobodys.json()


@pytest.mark.parametrize("path", ["/download/ID", "/download?key=ID", "/file/ID/delete"])
def test_the_other_doors_to_somebody_elses_file(alice, bob, path):
    record = alice.file("private", b"secret")
    response = bob.get(path.replace("ID", record["id"]))
    assert response.status_code == 404 and b"secret" not in response.content and b"private" not in response.content
    bob.request("DELETE", f"/delete?key={record['id']}")
    bob.post(f"/file/{record['id']}/delete")
    assert alice.names() == ["private"]


# ---- straight to the sockets, broken
def test_broken_fastcgi_leaves_the_server_working(server_factory):
    coffer = server_factory()
    alice = coffer.person()
    begin = fcgi_record(1, b"\0\1\0\0\0\0\0\0")
    for junk in (b"", b"\0" * 100, os.urandom(5000), begin, begin[:5], begin + fcgi_record(FCGI_PARAMS, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
                 begin + fcgi_record(FCGI_PARAMS, b"\x7f\x7fabc") + fcgi_record(FCGI_PARAMS), fcgi_record(9, b"x" * 100), begin * 100,
                 begin + fcgi_record(FCGI_PARAMS)):
        for role in ("api", "login", "bulk"):
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(1)
                s.connect(str(coffer.run / f"{role}.sock"))
                try:
                    s.sendall(junk)
                    s.shutdown(socket.SHUT_WR)
                    s.recv(1000)
                except OSError:
                    pass  # hung up on us: as good an answer as any
    assert wait_for(coffer.healthy)
    ok(alice.put("a", b"x" * 300_000), 201)
    assert wait_for(lambda: len(coffer.workers("api")) == 4 and len(coffer.workers("bulk")) == 4)


def test_sockets_and_keys_are_ours_alone(server):
    assert server.run.stat().st_mode & 0o007 == 0
    for role in ("api", "login", "bulk"):
        assert (server.run / f"{role}.sock").stat().st_mode & 0o777 == 0o660
    assert (server.data / "front.key").stat().st_mode & 0o777 == 0o600
    assert server.data.stat().st_mode & 0o007 == 0
    assert server.private_file().stat().st_mode & 0o077 == 0


# ---- at once
@pytest.mark.stores
def test_one_name_at_once_is_one_file(alice):
    clients = [alice.coffer.anon().login(alice.name) for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: clients[n].put("same", str(n).encode() * 10, headers={"If-None-Match": "*"}), range(8)))
    winners = [n for n, a in enumerate(answers) if a.status_code == 201]
    assert len(winners) == 1 and {a.status_code for a in answers} == {201, 412}
    assert alice.names() == ["same"] and alice.content("same").content == str(winners[0]).encode() * 10
    assert alice.me()["used"] == 10


@pytest.mark.stores
def test_replacing_at_once_leaves_one_whole_content(alice):
    contents = [bytes([65 + n]) * 400_000 for n in range(6)]
    clients = [alice.coffer.anon().login(alice.name) for _ in contents]
    with concurrent.futures.ThreadPoolExecutor(len(contents)) as pool:
        answers = list(pool.map(lambda n: clients[n].put("same", contents[n]), range(len(contents))))
    assert {a.status_code for a in answers} <= {200, 201} and [a.status_code for a in answers].count(201) == 1
    assert alice.content("same").content in contents and alice.me()["used"] == 400_000
