"""Session cookies, the cross-site rule, the Host rule, who speaks when there is an Authorization header."""
import http.cookies

import pytest
from harness import PASSWORD, ok, problem, unique


def session_cookie(response, name):
    for line in response.headers.get_list("set-cookie"):
        parsed = http.cookies.SimpleCookie(line)
        if name in parsed:
            return parsed[name], line
    raise AssertionError(response.headers)


def sign_in(client):
    client.register()
    return ok(client.post("/api/v1/login", json={"username": client.name, "password": PASSWORD}))


@pytest.mark.door
def test_the_cookie_of_plain_http(anon):
    cookie, line = session_cookie(sign_in(anon), "coffer")
    assert cookie["httponly"] and cookie["samesite"].lower() == "lax" and cookie["path"] == "/"
    assert "secure" not in line.lower() and not cookie["domain"]


def test_the_cookie_of_https(tls_server):
    cookie, _ = session_cookie(sign_in(tls_server.anon()), "__Host-coffer")
    assert cookie["httponly"] and cookie["secure"] and cookie["samesite"].lower() == "lax" and cookie["path"] == "/"
    assert not cookie["domain"]


def test_a_token_is_256_random_bits(anon):
    cookie, _ = session_cookie(sign_in(anon), "coffer")
    assert len(cookie.value) >= 43


def test_every_login_makes_a_new_session(alice):
    first = alice.cookie
    alice.login()
    assert alice.cookie != first


def test_a_login_never_takes_over_a_given_token(server, alice):
    planted = "A" * 43
    client = server.anon()
    client.http.cookies.set("coffer", planted)
    response = ok(client.post("/api/v1/login", json={"username": alice.name, "password": PASSWORD}))
    cookie, _ = session_cookie(response, "coffer")
    assert cookie.value != planted


def test_logout_takes_the_cookie_away(alice):
    cookie, line = session_cookie(ok(alice.post("/api/v1/logout"), 204), "coffer")
    assert cookie.value == "" and ("max-age=0" in line.lower() or "1970" in line)


@pytest.mark.parametrize("value", ["", "x", "A" * 43, "A" * 5000, "%00", "../../etc/passwd", "' or 1=1 --"])
def test_a_wrong_token_is_no_session(anon, value):
    response = anon.get("/api/v1/me", headers={"Cookie": f"coffer={value}"})
    problem(response, 401, "not-signed-in")


def test_two_session_cookies_in_one_header_are_refused(alice):
    response = alice.coffer.anon().get("/api/v1/me", headers={"Cookie": f"coffer={alice.cookie}; coffer=other"})
    problem(response, 400, "duplicate-header")


def test_two_cookie_headers_with_a_session_each_are_refused(server, alice):
    answer = server.raw(server.request_text("GET", "/api/v1/me", f"Cookie: coffer={alice.cookie}", "Cookie: coffer=other"))
    problem(answer, 400, "duplicate-header")


def test_a_cookie_beside_others_is_found(server, alice):
    response = server.anon().get("/api/v1/me", headers={"Cookie": f"theme=dark; coffer={alice.cookie}; xcoffer=1"})
    assert ok(response).json()["username"] == alice.name


@pytest.mark.stores
def test_sessions_per_user_end_the_oldest(server_factory):
    coffer = server_factory(session_per_user=3)
    first = coffer.person()
    later = [coffer.anon().login(first.name) for _ in range(3)]
    problem(first.get("/api/v1/me"), 401, "not-signed-in")
    for client in later:
        ok(client.get("/api/v1/me"))


# ---- Authorization
@pytest.mark.door
@pytest.mark.parametrize("value", ["Bearer wrong", "Bearer", "Basic YWxpY2U6eA==", "nonsense"])
def test_a_wrong_authorization_is_401_whatever_the_cookie(alice, value):
    response = alice.get("/api/v1/me", headers={"Authorization": value})
    assert response.status_code == 401 and response.headers["www-authenticate"] == "Bearer"


def test_a_session_token_is_no_bearer_token(alice):
    response = alice.coffer.anon().get("/api/v1/me", headers={"Authorization": f"Bearer {alice.cookie}"})
    assert response.status_code == 401


# ---- cross-site
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "SELF"},
    {"Sec-Fetch-Site": "nonsense"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "SELF.evil.example"},
    {"Origin": "SELF/"},
    {"Origin": "SELFx"},
]
OWN = [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "SELF"}, {"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {}]


def filled(server, headers):
    return {k: v.replace("SELF", server.url) for k, v in headers.items()}


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_an_unsafe_request_of_another_site_is_refused(server, alice, headers):
    headers = filled(server, headers)
    problem(alice.post("/api/v1/folders", json={"parent": alice.root, "name": "x"}, headers=headers), 403, "cross-site")
    assert alice.names() == []


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_an_unsafe_request_of_our_own_pages_passes(server, alice, headers):
    ok(alice.post("/api/v1/folders", json={"parent": alice.root, "name": "x"}, headers=filled(server, headers)), 201)


@pytest.mark.parametrize("method, path", [("POST", "login"), ("POST", "register"), ("POST", "logout"), ("POST", "upload"),
                                          ("PUT", "content/a"), ("DELETE", "content/a")])
def test_the_rule_holds_for_every_unsafe_route_and_without_a_cookie(anon, method, path):
    response = anon.request(method, f"/api/v1/{path}", headers={"Sec-Fetch-Site": "cross-site"})
    problem(response, 403, "cross-site")


def test_the_rule_holds_for_a_large_upload_before_its_bytes(alice):
    response = alice.put("big", b"x" * 300_000, headers={"Sec-Fetch-Site": "cross-site"})
    problem(response, 403, "cross-site")
    assert alice.names() == []


@pytest.mark.door
def test_a_page_form_of_another_site_is_refused(anon):
    response = anon.post("/login", data={"username": "x", "password": "y"}, headers={"Origin": "https://evil.example"})
    assert response.status_code == 403


def test_a_safe_request_of_another_site_passes(alice):
    ok(alice.get("/api/v1/me", headers={"Sec-Fetch-Site": "cross-site"}))


def test_no_answer_allows_other_origins(alice):
    response = alice.get("/api/v1/me", headers={"Origin": "https://evil.example"})
    assert not [h for h in response.headers if h.startswith("access-control-")]


# ---- Host
@pytest.mark.door
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:1", 'a"<>', "localhost.evil.example"])
@pytest.mark.parametrize("target", ["/api/v1/me", "/login"])
def test_another_host_is_misdirected(server, host, target):
    answer = server.raw(server.request_text("GET", target, host=host))
    assert answer.status in (400, 421)
    assert host.encode() not in answer.body


def test_a_misdirected_request_is_told_so(server):
    problem(server.raw(server.request_text("GET", "/api/v1/me", host="evil.example")), 421, "misdirected")


def test_a_further_host_is_answered(server_factory):
    coffer = server_factory(site_hosts="files.example.org other.example:99")
    for host, status in (("files.example.org", 401), ("FILES.example.org", 401), ("other.example:99", 401), ("other.example", 421)):
        assert coffer.raw(coffer.request_text("GET", "/api/v1/me", host=host)).status == status, host


def test_a_link_never_comes_from_the_host(server_factory):
    coffer = server_factory(site_hosts="files.example.org")
    answer = coffer.raw(coffer.request_text("GET", "/", "Accept: text/html", host="files.example.org"))
    assert answer.status == 303 and "files.example.org" not in answer.header("location")


def test_forwarded_headers_of_strangers_are_not_believed(server_factory):
    coffer = server_factory(throttle_register=1)
    body = lambda: {"username": unique(), "password": PASSWORD}  # noqa: E731
    ok(coffer.anon().post("/api/v1/register", json=body(), headers={"X-Forwarded-For": "192.0.2.1"}), 201)
    problem(coffer.anon().post("/api/v1/register", json=body(), headers={"X-Forwarded-For": "192.0.2.2"}), 429, "too-many-attempts")


def test_forwarded_headers_of_a_trusted_proxy_are_believed(server_factory):
    coffer = server_factory(throttle_register=1, web_trusted_proxies="127.0.0.1")
    for address in ("192.0.2.1", "192.0.2.2"):
        body = {"username": unique(), "password": PASSWORD}
        ok(coffer.anon().post("/api/v1/register", json=body, headers={"X-Forwarded-For": address}), 201)
