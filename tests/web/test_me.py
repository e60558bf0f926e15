"""One's own account: name, password, sessions, the password again."""
import re
import sqlite3

import pytest
from harness import PASSWORD, ok, problem, unique

NEW = "another sound password 99"


def login(client, username, password=PASSWORD):
    return client.post("/api/v1/login", json={"username": username, "password": password})


def set_password(client, current=PASSWORD, new=NEW):
    return client.post("/api/v1/me/password", json={"current_password": current, "new_password": new})


def again(person):
    """The same person with another browser."""
    return person.coffer.anon().login(person.name, person.password)


def sessions(person):
    return ok(person.get("/api/v1/me/sessions")).json()["items"]


def current(person):
    return next(s["id"] for s in sessions(person) if s["current"])


def let_the_sign_in_age(person, minutes):
    with sqlite3.connect(person.coffer.database()) as db:
        db.execute("UPDATE session SET signed_in_ms = signed_in_ms - ? WHERE id = ?", (minutes * 60_000, current(person)))
    db.close()


# ---- the name
@pytest.mark.door
@pytest.mark.route("me_change")
def test_rename(alice):
    name = unique("Alicia")
    account = ok(alice.request("PATCH", "/api/v1/me", json={"username": name})).json()
    assert account == alice.me() and account["username"] == name
    ok(login(alice.coffer.anon(), name.lower()))
    problem(login(alice.coffer.anon(), alice.name), 401, "bad-credentials")


def test_absent_is_unchanged(alice):
    assert ok(alice.request("PATCH", "/api/v1/me", json={})).json() == alice.me()


def test_a_taken_or_wrong_name(alice, bob):
    problem(alice.request("PATCH", "/api/v1/me", json={"username": bob.name.upper()}), 409, "name-taken")
    ok(alice.request("PATCH", "/api/v1/me", json={"username": alice.name.upper()}))
    assert problem(alice.request("PATCH", "/api/v1/me", json={"username": "a b"}), 422, "invalid-field")["field"] == "username"
    problem(alice.request("PATCH", "/api/v1/me", json={"role": "admin"}), 422, "unknown-field")


# ---- the password
@pytest.mark.door
@pytest.mark.route("me_password")
def test_a_new_password(alice):
    ok(set_password(alice), 204)
    assert alice.me()["username"] == alice.name
    problem(login(alice.coffer.anon(), alice.name), 401, "bad-credentials")
    ok(login(alice.coffer.anon(), alice.name, NEW))


def test_a_new_password_ends_every_other_session_and_the_old_token(alice):
    other, old = again(alice), alice.cookie
    ok(set_password(alice), 204)
    problem(other.get("/api/v1/me"), 401, "not-signed-in")
    assert alice.cookie != old
    problem(alice.coffer.anon().get("/api/v1/me", headers={"Cookie": f"coffer={old}"}), 401, "not-signed-in")
    assert [s["current"] for s in sessions(alice)] == [True]


def test_the_current_password_is_asked_for(alice):
    assert problem(set_password(alice, current="not the password"), 401, "bad-credentials")["field"] == "current_password"
    assert alice.me()["username"] == alice.name
    ok(login(alice.coffer.anon(), alice.name))


def test_a_weak_new_password(alice):
    assert problem(set_password(alice, new="password1"), 422, "weak-password")["field"] == "new_password"
    assert problem(set_password(alice, new="short"), 422, "invalid-field")["field"] == "new_password"
    problem(set_password(alice, new=alice.name), 422, "weak-password")
    ok(login(alice.coffer.anon(), alice.name))


def test_guessing_the_current_password_is_throttled(server_factory):
    coffer = server_factory(throttle_account=3)
    person = coffer.person()
    for _ in range(3):
        problem(set_password(person, current="not the password"), 401, "bad-credentials")
    problem(set_password(person), 429, "too-many-attempts")


def test_nobody_sets_a_password(anon):
    problem(set_password(anon), 401, "not-signed-in")


# ---- sessions
@pytest.mark.door
@pytest.mark.route("session_list")
def test_sessions_are_listed(alice):
    other = alice.coffer.anon(headers={"User-Agent": "a telephone"}).login(alice.name, alice.password)
    mine = sessions(alice)
    assert len(mine) == 2 and [s["current"] for s in mine] == [False, True]
    assert mine[0]["agent"] == "a telephone" and mine[0]["address"] == "127.0.0.1"
    assert set(mine[0]) == {"id", "current", "created", "signed_in", "seen", "expires", "address", "agent"}
    for field in ("created", "signed_in", "seen", "expires"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", mine[0][field])
    assert other.cookie not in alice.get("/api/v1/me/sessions").text


def test_only_ones_own_sessions_are_listed(alice, bob):
    assert len(sessions(alice)) == 1 and len(sessions(bob)) == 1


@pytest.mark.door
@pytest.mark.route("session_end")
def test_end_another_session(alice):
    other = again(alice)
    ok(alice.delete(f"/api/v1/me/sessions/{current(other)}"), 204)
    problem(other.get("/api/v1/me"), 401, "not-signed-in")
    assert len(sessions(alice)) == 1


def test_end_this_session(alice):
    ok(alice.delete(f"/api/v1/me/sessions/{current(alice)}"), 204)
    problem(alice.get("/api/v1/me"), 401, "not-signed-in")
    assert not alice.cookie


def test_somebody_elses_session_is_unknown(alice, bob):
    problem(bob.delete(f"/api/v1/me/sessions/{current(alice)}"), 404, "not-found")
    problem(bob.delete(f"/api/v1/me/sessions/{'0' * 32}"), 404, "not-found")
    assert alice.me()["username"] == alice.name


@pytest.mark.door
@pytest.mark.route("sessions_end")
def test_end_all_other_sessions(alice):
    others = [again(alice) for _ in range(3)]
    ok(alice.delete("/api/v1/me/sessions"), 204)
    for other in others:
        problem(other.get("/api/v1/me"), 401, "not-signed-in")
    assert alice.me()["username"] == alice.name


def test_end_all_sessions(alice, bob):
    other = again(alice)
    ok(alice.delete("/api/v1/me/sessions", params={"all": 1}), 204)
    for client in (alice, other):
        problem(client.get("/api/v1/me"), 401, "not-signed-in")
    assert bob.me()["username"] == bob.name


# ---- the password again
@pytest.mark.route("me_confirm")
@pytest.mark.sqlite("ages a session by hand")
def test_an_old_sign_in_needs_the_password_again(alice):
    other = again(alice)
    let_the_sign_in_age(alice, 11)
    for answer in (alice.delete("/api/v1/me/sessions"), alice.delete(f"/api/v1/me/sessions/{current(other)}"),
                   alice.request("PATCH", "/api/v1/me", json={"username": unique("new")})):
        problem(answer, 403, "sign-in-again")
    assert other.me()["username"] == alice.name
    old = alice.cookie
    problem(alice.post("/api/v1/me/confirm", json={"password": "not the password"}), 401, "bad-credentials")
    problem(alice.delete("/api/v1/me/sessions"), 403, "sign-in-again")
    ok(alice.post("/api/v1/me/confirm", json={"password": PASSWORD}), 204)
    assert alice.cookie != old
    ok(alice.delete("/api/v1/me/sessions"), 204)


@pytest.mark.sqlite("ages a session by hand")
def test_nine_minutes_are_fresh(alice):
    let_the_sign_in_age(alice, 9)
    ok(alice.delete("/api/v1/me/sessions"), 204)


@pytest.mark.sqlite("ages a session by hand")
def test_signing_out_needs_no_fresh_sign_in(alice):
    let_the_sign_in_age(alice, 100)
    ok(alice.delete(f"/api/v1/me/sessions/{current(alice)}"), 204)


def test_confirming_is_throttled_like_a_sign_in(server_factory):
    person = server_factory(throttle_account=2).person()
    for _ in range(2):
        problem(person.post("/api/v1/me/confirm", json={"password": "wrong password"}), 401, "bad-credentials")
    problem(person.post("/api/v1/me/confirm", json={"password": PASSWORD}), 429, "too-many-attempts")
