"""Accounts: register, sign in, sign out, who am I; the same from the command line."""
import re
import statistics
from pathlib import Path

import pytest
from harness import PASSWORD, ok, problem, unique


def register(client, **fields):
    return client.post("/api/v1/register", json={"username": unique("u"), "password": PASSWORD} | fields)


def login(client, username, password=PASSWORD, **options):
    return client.post("/api/v1/login", json={"username": username, "password": password}, **options)


# ---- register
@pytest.mark.door
@pytest.mark.route("register")
def test_register_answers_the_account(anon):
    name = unique("Anna")
    account = ok(register(anon, username=name), 201).json()
    assert account["username"] == name and account["role"] == "user"
    assert re.fullmatch("[0-9a-z]+", account["id"])


def test_a_new_account_has_an_empty_space_without_quota(alice):
    me = alice.me()
    assert (me["used"], me["quota"]) == (0, None)
    assert alice.list() == {"items": [], "next": None}


def test_register_never_gives_a_role(anon):
    answer = problem(register(anon, role="admin"), 422, "unknown-field")
    assert answer["field"] == "role"


@pytest.mark.stores
def test_a_name_is_taken_whatever_its_case(anon):
    name = unique("bob")
    ok(register(anon, username=name), 201)
    problem(register(anon, username=name), 409, "name-taken")
    problem(register(anon, username=name.upper()), 409, "name-taken")


@pytest.mark.parametrize("password", ["12345678", "password1", "qwertyuiop", "aaaaaaaaaaaaaaaa"])
def test_a_password_that_is_easy_to_guess_is_refused_with_a_reason(anon, password):
    answer = problem(register(anon, password=password), 422, "weak-password")
    assert answer["detail"]


def test_the_user_name_is_a_weak_password(anon):
    name = unique("montgomery")
    problem(register(anon, username=name, password=name), 422, "weak-password")


@pytest.mark.parametrize("password", ["", "a1B-xY7", "x" * 1025], ids=["empty", "7 bytes", "1025 bytes"])
def test_a_password_has_8_to_1024_bytes(anon, password):
    answer = register(anon, password=password)
    assert answer.status_code == 422 and answer.json()["code"] in ("weak-password", "invalid-field"), answer.text


def test_a_password_of_1024_bytes_works(anon):
    name, password = unique("long"), ("Zürich-%d-" * 100 % tuple(range(100)))[:900] + "q7" * 10
    ok(register(anon, username=name, password=password), 201)
    ok(login(anon, name, password))


@pytest.mark.parametrize("name", ["ab", "x" * 65, "a b", "a/b", "ä-name", "a\nb", "<b>", "a\"b", ""])
def test_a_user_name_is_3_to_64_letters_digits_and_marks(anon, name):
    assert problem(register(anon, username=name), 422, "invalid-field")["field"] == "username"


@pytest.mark.parametrize("name", ["a.b", "x_y-z", "me@example.org", "a+b", "007"])
def test_marks_in_user_names(anon, name):
    ok(register(anon, username=unique() + name), 201)


@pytest.mark.parametrize("field", ["username", "password"])
def test_register_names_the_missing_field(anon, field):
    fields = {"username": unique(), "password": PASSWORD}
    del fields[field]
    assert problem(anon.post("/api/v1/register", json=fields), 422, "missing-field")["field"] == field


def test_register_closed(server_factory):
    client = server_factory(site_register="closed").anon()
    problem(register(client), 403, "registration-closed")


def test_registrations_are_throttled_by_address(server_factory):
    client = server_factory(throttle_register=2).anon()
    ok(register(client), 201)
    ok(register(client), 201)
    assert int(problem_with_retry(register(client))) > 0


def problem_with_retry(response):
    document = problem(response, 429, "too-many-attempts")
    assert int(response.headers["retry-after"]) == document["retry_after"]
    return response.headers["retry-after"]


# ---- sign in
@pytest.mark.door
@pytest.mark.route("login")
def test_login_answers_the_account(anon):
    anon.register()
    account = ok(login(anon, anon.name)).json()
    assert account["username"] == anon.name and account["role"] == "user"


def test_login_ignores_the_case_of_the_name(anon):
    anon.register(unique("Carla"))
    ok(login(anon, anon.name.swapcase()))


def test_wrong_and_unknown_look_alike(anon):
    anon.register()
    wrong = problem(login(anon, anon.name, "not the password"), 401, "bad-credentials")
    unknown = problem(login(anon, unique("nobody"), "not the password"), 401, "bad-credentials")
    assert wrong == unknown


@pytest.mark.alone("compares what two things cost")
def test_wrong_and_unknown_take_the_same_time(server_factory):
    """Of the processor: the clock tells more of what else the machine does."""
    coffer = server_factory(login_memory="32M", login_passes=2, throttle_account=1000)
    client = coffer.anon().register()

    def worked():
        return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in coffer.workers("login"))

    def nanoseconds(name):
        before = worked()
        problem(login(client, name, "not the password"), 401, "bad-credentials")
        return worked() - before
    rounds = [(nanoseconds(client.name), nanoseconds(unique("nobody"))) for _ in range(9)]
    wrong, unknown = (statistics.median(column) for column in zip(*rounds))
    assert 0.5 < wrong / unknown < 2, (wrong, unknown)


def test_a_password_is_compared_to_its_last_byte(anon):
    anon.register(password=PASSWORD + " and more")
    problem(login(anon, anon.name, PASSWORD), 401, "bad-credentials")


def test_login_failures_are_throttled_by_account_and_address(server_factory):
    coffer = server_factory(throttle_account=3)
    client = coffer.anon().register()
    for _ in range(3):
        problem(login(client, client.name, "wrong password"), 401, "bad-credentials")
    problem_with_retry(login(coffer.anon(), client.name))
    other = coffer.anon().register()
    ok(login(other, other.name))


def test_successful_logins_are_not_counted(server_factory):
    client = server_factory(throttle_account=3).anon().register()
    for _ in range(6):
        ok(login(client, client.name))


def test_login_failures_are_throttled_by_address(server_factory):
    client = server_factory(throttle_address=3).anon()
    for _ in range(3):
        problem(login(client, unique("nobody"), "wrong password"), 401, "bad-credentials")
    problem_with_retry(login(client, unique("nobody"), "wrong password"))


def test_a_stranger_cannot_lock_out_a_browser_that_signed_in_before(server_factory):
    coffer = server_factory(throttle_account=3)
    browser, stranger = coffer.person(), coffer.anon()
    ok(browser.post("/api/v1/logout"), 204)
    for _ in range(8):
        login(stranger, browser.name, "wrong password")
    problem_with_retry(login(stranger, browser.name))
    ok(login(browser, browser.name))


def test_a_browser_that_signed_in_before_has_a_limit_too(server_factory):
    coffer = server_factory(throttle_account=3)
    browser = coffer.person()
    for _ in range(3):
        problem(login(browser, browser.name, "wrong password"), 401, "bad-credentials")
    problem_with_retry(login(browser, browser.name))


def test_a_device_cookie_is_good_for_its_account_alone(server_factory):
    coffer = server_factory(throttle_account=3)
    victim, thief = coffer.person(), coffer.person()
    device = thief.http.cookies["coffer-device"]
    forged = ["x" * 43 + device[43:], device[:-1] + ("0" if device[-1] != "0" else "1"), "", "x", device]
    for n in range(3):
        problem(login(coffer.anon(), victim.name, "wrong password"), 401, "bad-credentials")
    for value in forged:
        problem_with_retry(login(coffer.anon(), victim.name, headers={"Cookie": f"coffer-device={value}"}))


# ---- who am I, sign out
@pytest.mark.door
@pytest.mark.route("me")
def test_me(alice):
    me = alice.me()
    assert set(me) == {"id", "username", "role", "space", "root", "used", "quota"}
    assert me["username"] == alice.name


def test_me_needs_a_sign_in(anon):
    response = anon.get("/api/v1/me")
    problem(response, 401, "not-signed-in")
    assert response.headers["www-authenticate"] == "Bearer"


def test_used_is_the_sum_of_the_files(alice):
    alice.file("a", b"x" * 1000)
    alice.file("b", b"x" * 234)
    assert alice.me()["used"] == 1234


@pytest.mark.door
@pytest.mark.route("logout")
def test_logout_ends_the_session_at_once(alice):
    cookie = alice.cookie
    ok(alice.post("/api/v1/logout"), 204)
    again = alice.coffer.anon()
    for _ in range(8):  # whichever worker is asked
        problem(again.get("/api/v1/me", headers={"Cookie": f"coffer={cookie}"}), 401, "not-signed-in")


def test_logout_without_a_session_is_204_too(anon):
    ok(anon.post("/api/v1/logout"), 204)


def test_logout_ends_only_this_session(alice):
    other = alice.coffer.anon().login(alice.name, alice.password)
    ok(other.post("/api/v1/logout"), 204)
    assert alice.me()["username"] == alice.name


# ---- the command line
def test_user_add_and_list(server, anon):
    name = unique("cli")
    server.cli("user", "add", name, stdin=PASSWORD + "\n")
    assert name in server.cli("user", "list").stdout
    ok(login(anon, name))


def test_user_add_refuses_a_taken_name(server, alice):
    done = server.cli("user", "add", alice.name.upper(), stdin=PASSWORD + "\n", check=False)
    assert done.returncode != 0 and "taken" in done.stderr


@pytest.mark.door
def test_user_passwd_changes_the_password_and_ends_every_session(server, alice):
    server.cli("user", "passwd", alice.name, stdin="another sound password 99\n")
    problem(alice.get("/api/v1/me"), 401, "not-signed-in")
    problem(login(alice, alice.name), 401, "bad-credentials")
    ok(login(alice, alice.name, "another sound password 99"))


def test_user_passwd_of_nobody(server):
    done = server.cli("user", "passwd", unique("nobody"), stdin=PASSWORD + "\n", check=False)
    assert done.returncode != 0 and done.stderr
