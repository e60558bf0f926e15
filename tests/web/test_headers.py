"""Headers that every answer carries, also errors and what nginx says by itself; methods; health; assets."""
import re
import signal
import socket

import pytest
from harness import PATIENCE_S, Answer, Page, ok, problem, read_answer

PAGE = {"Accept": "text/html"}


def check(headers, https=False):
    get = {k.lower(): v for k, v in headers}.get
    assert get("x-content-type-options") == "nosniff", headers
    assert get("x-frame-options") == "DENY" and get("referrer-policy") in ("same-origin", "no-referrer"), headers
    policy = get("content-security-policy") or ""
    assert re.search(r"default-src '(none|self)'", policy) and "unsafe" not in policy, headers
    assert not re.search(r"\d", get("server") or ""), "the web server's version is nobody's business"
    assert https or not get("strict-transport-security"), headers
    names = [k.lower() for k, _ in headers]
    for name in ("x-content-type-options", "content-security-policy", "x-frame-options", "referrer-policy", "content-type", "etag",
                 "cache-control", "content-length", "strict-transport-security"):
        assert names.count(name) <= 1, f"{name} stands {names.count(name)} times: {headers}"


def pairs(answer):
    return answer.headers if isinstance(answer, Answer) else answer.headers.multi_items()


CASES = {  # name: (method, target, status, more headers)
    "page": ("GET", "/login", 200, PAGE),
    "page of nothing": ("GET", "/nothing/here", 404, PAGE),
    "redirect": ("GET", "/", 303, PAGE),
    "json": ("GET", "/api/v1/nothing", 404, {}),
    "refused": ("GET", "/api/v1/me", 401, {}),
    "bad path": ("GET", "/api/v1/content/%00", 400, {}),
    "method": ("PUT", "/api/v1/me/", 405, {}),
    "empty": ("POST", "/api/v1/logout", 204, {}),
    "health": ("GET", "/healthz", 200, {}),
    "blobs are not here": ("GET", "/_blob/ab/" + "a" * 32, 404, {}),
    "asset of nothing": ("GET", "/assets/nothing.css", 404, {}),
    "large refused": ("PUT", "/api/v1/content/a", 401, {"Content-Length": "1000000000"}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_security_headers(request, case, tls):
    coffer = request.getfixturevalue("tls_server" if tls else "server")
    method, target, status, more = CASES[case]
    answer = coffer.raw(coffer.request_text(method, target, *[f"{k}: {v}" for k, v in more.items()]))
    assert answer.status == status, answer
    check(answer.headers, tls)


@pytest.mark.door
def test_security_headers_of_a_file(alice):
    record = alice.file("a.txt", b"x" * 300_000)
    for headers in ({}, {"Range": "bytes=0-1"}, {"Range": "bytes=999999-"}, {"If-None-Match": record["etag"]}, {"If-None-Match": "*"}):
        check(pairs(alice.get(f"/api/v1/files/{record['id']}", headers=headers)))


def test_security_headers_of_a_list_page(alice):
    check(pairs(ok(alice.get("/", headers=PAGE))))


NGINX_MADE = {
    "no request": b"nonsense\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "above the root": b"GET /../../etc/passwd HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "long line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "long header": b"GET / HTTP/1.1\r\nHost: HOST\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n",
    "bad length": b"PUT /api/v1/content/a HTTP/1.1\r\nHost: HOST\r\nContent-Length: x\r\n\r\n",
    "length twice": b"PUT /api/v1/content/a HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    "future": b"GET / HTTP/9.9\r\nHost: HOST\r\n\r\n",
    "trace": b"TRACE / HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "unknown encoding": b"PUT /api/v1/content/a HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: gzip\r\n\r\n",
    "json too large": b"POST /api/v1/login HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n",
}


@pytest.mark.parametrize("case", NGINX_MADE)
def test_security_headers_of_what_nginx_refuses_itself(server, case):
    answer = server.raw(NGINX_MADE[case].replace(b"HOST", server.authority.encode()))
    assert answer is not None and 400 <= answer.status < 600, answer
    check(answer.headers)


def test_plain_http_to_the_tls_port(tls_server):
    with socket.create_connection(("127.0.0.1", tls_server.port), timeout=PATIENCE_S) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = read_answer(s)
    assert answer.status in (301, 308, 400)
    assert answer.header("x-content-type-options") == "nosniff"


def test_when_coffer_is_down_the_answer_says_when_to_come_back(server_factory):
    coffer = server_factory()
    coffer.end("coffer", signal.SIGTERM)
    for target in ("/api/v1/me", "/healthz", "/login"):
        answer = coffer.raw(coffer.request_text("GET", target))
        assert answer.status == 503
        check(answer.headers)
        assert answer.header("retry-after")
    problem(coffer.raw(coffer.request_text("GET", "/api/v1/me")), 503, "busy")


@pytest.mark.door
@pytest.mark.route("health")
def test_health(anon):
    response = ok(anon.get("/healthz"))
    assert response.text.strip() == "ok" and "set-cookie" not in response.headers


def test_health_answers_any_host(server):
    assert server.raw(server.request_text("GET", "/healthz", host="10.0.0.1")).status == 200


# ---- methods
@pytest.mark.parametrize("target, allow", [("/api/v1/me", {"GET", "HEAD"}), ("/api/v1/login", {"POST"}), ("/api/v1/folders", {"POST"}),
                                           ("/api/v1/files/" + "0" * 32, {"GET", "HEAD", "DELETE"})])
@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "BREW"])
def test_an_unsupported_method_is_told_the_others(server, alice, target, allow, method):
    answer = server.raw(server.request_text(method, target, "Content-Length: 0", cookie=alice.cookie))
    problem(answer, 405, "method-not-allowed")
    assert set(re.split(r",\s*", answer.header("allow"))) >= allow


@pytest.mark.door
def test_an_unknown_address_below_api_is_json_also_in_a_browser(anon):
    problem(anon.get("/api/v1/nothing", headers=PAGE), 404, "not-found")


@pytest.mark.door
def test_an_unknown_address_elsewhere_is_a_page_in_a_browser(anon):
    response = anon.get("/nothing", headers=PAGE)
    assert response.status_code == 404 and response.headers["content-type"].startswith("text/html")
    problem(anon.get("/nothing"), 404, "not-found")


# ---- caches, assets
@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/files", "/"])
def test_personal_answers_are_not_stored(alice, path):
    response = ok(alice.get(path, headers=PAGE))
    assert "no-store" in response.headers["cache-control"] and "cookie" in response.headers["vary"].lower()


@pytest.mark.door
def test_assets_are_kept_for_ever_and_named_by_their_contents(anon):
    page = Page(ok(anon.get("/login", headers=PAGE)).text)
    addresses = [a.get("href") or a.get("src") for tag, a in page.elements
                 if (tag == "link" and "stylesheet" in a.get("rel", "")) or (tag == "script" and "src" in a)]
    assert addresses
    for address in addresses:
        assert address.startswith("/assets/"), address
        response = ok(anon.get(address))
        assert "immutable" in response.headers["cache-control"]
        assert response.headers["content-type"].split(";")[0] in ("text/css", "text/javascript", "application/javascript")
        check(pairs(response))


def test_assets_are_a_folder_without_a_way_out(server):
    for target in ("/assets/", "/assets/../coffer.conf", "/assets/%2e%2e/data/front.key", "/assets/..%2fdata/front.key"):
        assert server.raw(server.request_text("GET", target)).status in (400, 403, 404)
