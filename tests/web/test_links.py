"""What links grant once: an account while registration is by invitation, a new password."""
import secrets

import pytest
from harness import PASSWORD, ok, problem, sha256, sqlite_rows, unique

NEW = "another sound password 99"


def over(coffer, table, token):
    """Its time is over."""
    assert sqlite_rows(coffer.database(), f"UPDATE {table} SET expires_ms = 1 WHERE hash = ? RETURNING 1", sha256(token.encode())) == [(1,)]
    return token


def register(client, **fields):
    return client.post("/api/v1/register", json={"username": unique("u"), "password": PASSWORD} | fields)


def reset(client, token, password=NEW):
    return client.post("/api/v1/reset", json={"token": token, "new_password": password})


def login(client, username, password=PASSWORD):
    return client.post("/api/v1/login", json={"username": username, "password": password})


# ---- invitations
@pytest.fixture(scope="module")
def club(request):
    import harness
    with harness.Installation({"site.register": "invite"}, name="club") as coffer:
        yield coffer.start()


@pytest.mark.door
def test_an_invitation_makes_one_account(club):
    token, client = club.granted("invite"), club.anon()
    account = ok(register(client, invite=token), 201).json()
    assert account["role"] == "user"
    problem(register(client, invite=token), 403, "bad-invite")


def test_nobody_comes_without_one(club):
    client = club.anon()
    assert "invitation" in problem(register(client), 403, "registration-closed")["detail"]
    problem(register(client, invite=""), 403, "registration-closed")
    problem(register(client, invite="x" * 43), 403, "bad-invite")


@pytest.mark.sqlite("ends a link by hand")
def test_an_invitation_ends(club):
    problem(register(club.anon(), invite=over(club, "invite", club.granted("invite"))), 403, "bad-invite")


def test_a_failed_registration_leaves_the_invitation(club):
    token, client, name = club.granted("invite"), club.anon(), unique("u")
    ok(register(client, username=name, invite=club.granted("invite")), 201)
    problem(register(client, invite=token, password="password1"), 422, "weak-password")
    problem(register(client, invite=token, username=name), 409, "name-taken")
    ok(register(client, invite=token), 201)


def test_an_invitation_is_not_needed_where_registration_is_open(anon):
    ok(register(anon, invite="whatever"), 201)


# ---- a new password
@pytest.mark.door
@pytest.mark.route("reset")
def test_a_reset_sets_the_password_once(server, alice):
    token = server.granted("reset", alice.name)
    ok(reset(server.anon(), token), 204)
    problem(alice.get("/api/v1/me"), 401, "not-signed-in")
    problem(login(server.anon(), alice.name), 401, "bad-credentials")
    ok(login(server.anon(), alice.name, NEW))
    problem(reset(server.anon(), token), 403, "bad-reset")
    ok(login(server.anon(), alice.name, NEW))


@pytest.mark.parametrize("token", ["x" * 43, "", "../../x"])
def test_unknown_links(anon, token):
    assert reset(anon, token).status_code in (403, 422)


@pytest.mark.sqlite("ends a link by hand")
def test_a_link_ends(server, alice):
    problem(reset(server.anon(), over(server, "reset", server.granted("reset", alice.name))), 403, "bad-reset")
    ok(login(server.anon(), alice.name))


def test_a_weak_password_leaves_the_link(server, alice):
    token = server.granted("reset", alice.name)
    problem(reset(server.anon(), token, alice.name), 422, "weak-password")
    problem(reset(server.anon(), token, "short"), 422, "invalid-field")
    ok(reset(server.anon(), token), 204)


def test_guessing_links_is_throttled(server_factory):
    client = server_factory(throttle_address="3").anon()
    for _ in range(3):
        problem(reset(client, secrets.token_urlsafe(32)), 403, "bad-reset")
    problem(reset(client, secrets.token_urlsafe(32)), 429, "too-many-attempts")


@pytest.mark.sqlite("reads its rows")
def test_only_hashes_are_kept(server, alice):
    token = server.granted("reset", alice.name)
    assert token not in str(sqlite_rows(server.database(), "SELECT * FROM reset"))
    assert alice.cookie not in str(sqlite_rows(server.database(), "SELECT * FROM session"))
