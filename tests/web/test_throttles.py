"""Who may try how often: as set by default, and as seen from several addresses and browsers."""
import http.cookies
import json

import pytest
from harness import PASSWORD, ok, problem, unique


def login(client, username, password=PASSWORD, **options):
    return client.post("/api/v1/login", json={"username": username, "password": password}, **options)


def device_of(response, name="coffer-device"):
    for line in response.headers.get_list("set-cookie"):
        cookie = http.cookies.SimpleCookie(line).get(name)
        if cookie:
            return cookie, line
    return None, None


def throttled(response):
    document = problem(response, 429, "too-many-attempts")
    assert 0 < int(response.headers["retry-after"]) == document["retry_after"] <= 15 * 60


def from_address(coffer, address, username, password):
    """A sign-in that the web server hands on as coming from that address; its status."""
    body = json.dumps({"username": username, "password": password}).encode()
    params = coffer.fcgi_params("POST", "/api/v1/login", REMOTE_ADDR=address, CONTENT_TYPE="application/json", CONTENT_LENGTH=str(len(body)))
    return coffer.fcgi(params, body, role="login").status


# ---- as set by default
def test_ten_failures_per_account_and_address(server_factory):
    coffer = server_factory()
    client = coffer.anon().register()
    for _ in range(10):
        problem(login(client, client.name, "wrong password"), 401, "bad-credentials")
    throttled(login(client, client.name))
    throttled(login(client, client.name.upper()))


def test_a_hundred_failures_per_address(server_factory):
    coffer = server_factory(throttle_address="100")
    client = coffer.anon().register()
    for _ in range(100):
        assert login(client, unique("nobody"), "wrong password").status_code == 401
    throttled(login(client, client.name))


def test_sixty_registrations_per_address_and_hour(server_factory):
    coffer = server_factory(throttle_register="60")
    client = coffer.anon()
    for _ in range(60):
        client.register()
    answer = client.post("/api/v1/register", json={"username": unique("u"), "password": PASSWORD})
    problem(answer, 429, "too-many-attempts")
    assert 3000 < int(answer.headers["retry-after"]) <= 3600


# ---- addresses
@pytest.mark.stores
def test_an_account_is_counted_by_address(server_factory):
    coffer = server_factory(throttle_account=2)
    person = coffer.anon().register()
    for _ in range(2):
        assert from_address(coffer, "192.0.2.1", person.name, "wrong password") == 401
    assert from_address(coffer, "192.0.2.1", person.name, PASSWORD) == 429
    assert from_address(coffer, "192.0.2.2", person.name, PASSWORD) == 200


def test_ipv6_is_counted_by_64_bits(server_factory):
    coffer = server_factory(throttle_account=2)
    person = coffer.anon().register()
    for host in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"):
        assert from_address(coffer, host, person.name, "wrong password") == 401
    assert from_address(coffer, "2001:db8:1:2:1:2:3:4", person.name, PASSWORD) == 429
    assert from_address(coffer, "2001:db8:1:3::1", person.name, PASSWORD) == 200


# ---- browsers that signed in before
def test_the_device_cookie(anon, tls_server):
    cookie, line = device_of(login(anon.register(), anon.name))
    assert cookie["httponly"] and cookie["samesite"].lower() == "lax" and cookie["path"] == "/" and not cookie["domain"]
    assert int(cookie["max-age"]) > 86400 * 30 and "secure" not in line.lower()
    safe = tls_server.anon().register()
    cookie, _ = device_of(login(safe, safe.name), "__Host-coffer-device")
    assert cookie["secure"] and cookie["httponly"]


def test_a_failed_sign_in_sets_none(anon):
    assert device_of(login(anon.register(), anon.name, "wrong password")) == (None, None)


def test_the_cookie_stays_over_a_logout_and_the_next_sign_in(alice):
    before = alice.http.cookies.get("coffer-device")
    ok(alice.post("/api/v1/logout"), 204)
    alice.login()
    assert before and alice.http.cookies.get("coffer-device") == before


def test_strangers_at_the_same_address_lock_out_nobody(server_factory):
    coffer = server_factory(throttle_account=3, throttle_address="6")
    browser, stranger = coffer.person(), coffer.anon()
    for _ in range(3):
        problem(login(stranger, browser.name, "wrong password"), 401, "bad-credentials")
    throttled(login(stranger, browser.name))
    for _ in range(3):
        problem(login(stranger, unique("nobody"), "wrong password"), 401, "bad-credentials")
    throttled(login(stranger, unique("nobody")))
    ok(login(browser, browser.name))


def test_a_known_browser_has_a_limit_of_its_own(server_factory):
    coffer = server_factory(throttle_account=3)
    browser = coffer.person()
    for _ in range(3):
        problem(login(browser, browser.name, "wrong password"), 401, "bad-credentials")
    throttled(login(browser, browser.name))
    ok(login(coffer.anon(), browser.name))  # its failures are not the others'


def test_the_cookie_is_good_for_its_account_only(server_factory):
    coffer = server_factory(throttle_account=2)
    mallory, victim = coffer.person(), coffer.person()
    for _ in range(2):
        problem(login(mallory, victim.name, "wrong password"), 401, "bad-credentials")
    throttled(login(mallory, victim.name, "wrong password"))


@pytest.mark.parametrize("change", [lambda v: v[:-1] + ("A" if v[-1] != "A" else "B"), lambda v: ("A" if v[0] != "A" else "B") + v[1:],
                                    lambda v: v + "A", lambda v: v.split(".")[0], lambda v: "A" * 43 + "." + "a" * 64, lambda v: ""])
def test_a_made_up_cookie_is_none(server_factory, change):
    coffer = server_factory(throttle_account=1)
    browser, stranger = coffer.person(), coffer.anon()
    false = change(browser.http.cookies.get("coffer-device"))
    problem(login(stranger, browser.name, "wrong password", headers={"Cookie": f"coffer-device={false}"}), 401, "bad-credentials")
    throttled(login(stranger, browser.name, headers={"Cookie": f"coffer-device={false}"}))
    ok(login(browser, browser.name))


@pytest.mark.stores
def test_cookies_outlive_a_restart(server_factory):
    coffer = server_factory(throttle_account=2)
    browser, stranger = coffer.person(), coffer.anon()
    coffer.restart()
    for _ in range(2):
        login(stranger, browser.name, "wrong password")
    throttled(login(stranger, browser.name))
    ok(login(browser, browser.name))
