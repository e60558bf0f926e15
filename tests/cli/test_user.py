"""`coffer user ...`: what an administrator does with accounts, seen from the account's side."""
import json
import re

import pytest
from harness import PASSWORD, Installation, ok, problem, sqlite_rows


@pytest.fixture(scope="module")
def served():
    """One for all tests here, which leave nobody in it but its administrator."""
    with Installation(name="served") as coffer:
        coffer.start()
        coffer.cli("user", "add", "--admin", "root1", stdin=PASSWORD + "\n")
        yield coffer


@pytest.fixture
def alice(served):
    yield served.person("alice")
    served.cli("user", "remove", "--files", "delete", "alice", check=False)  # unless the test did
    assert state(served, "alice") is None


def state(coffer, name):
    for line in coffer.cli("user", "list", "--json").stdout.splitlines():
        user = json.loads(line)
        if user["username"] == name:
            return user["role"], user["state"]
    return None


def test_a_disabled_account_is_out_at_once(served, alice):
    alice.file("a")
    served.cli("user", "disable", "Alice")
    problem(alice.get("/api/v1/me"), 401, "not-signed-in")
    problem(alice.post("/api/v1/login", json={"username": "alice", "password": PASSWORD}), 401, "bad-credentials")
    assert state(served, "alice") == ("user", "disabled")
    served.cli("user", "enable", "alice")
    assert alice.login().names() == ["a"]


def test_a_role_is_given_and_taken(served, alice):
    served.cli("user", "role", "alice", "admin")
    assert alice.login().me()["role"] == "admin"
    served.cli("user", "role", "alice", "user")
    assert alice.login().me()["role"] == "user"


@pytest.mark.parametrize("arguments", [["disable", "root1"], ["role", "root1", "user"], ["remove", "root1"]])
def test_the_last_administrator_stays(served, arguments):
    done = served.cli("user", *arguments, check=False)
    assert done.returncode == 1 and "last-admin" in done.stderr
    assert state(served, "root1") == ("admin", "active")


@pytest.mark.parametrize("text, wanted", [("1000", 1000), ("5K", 5120), ("3M", 3 << 20), ("2G", 2 << 30), ("1T", 1 << 40), ("none", None)])
def test_a_quota_is_set(served, alice, text, wanted):
    done = served.cli("user", "quota", "alice", text)
    assert alice.me()["quota"] == wanted
    assert (f"({wanted} bytes)" if wanted else "quota none") in done.stdout


def test_a_quota_is_shown_and_holds(served, alice):
    alice.file("a", b"x" * 700)
    served.cli("user", "quota", "alice", "1000")
    assert served.cli("user", "quota", "alice").stdout == "alice uses 700 B (700 bytes), quota 1.0 KB (1000 bytes)\n"
    problem(alice.put("b", b"x" * 301), 507, "quota-exceeded")


@pytest.mark.parametrize("text", ["", "-1", "0", "1.5G", "1X", "K", "9999999999T", "1 G"])
def test_what_is_no_quota(served, alice, text):
    assert served.cli("user", "quota", "alice", text, check=False).returncode == 64


def test_an_account_with_files_is_not_removed_by_mistake(served, alice):
    alice.file("a")
    done = served.cli("user", "remove", "alice", check=False)
    assert done.returncode == 1 and "--files delete" in done.stderr
    assert alice.names() == ["a"]


def test_an_account_goes_with_its_files(served, alice):
    alice.file("a", b"x" * 500)
    served.cli("user", "remove", "--files", "delete", "alice")
    assert state(served, "alice") is None
    problem(alice.get("/api/v1/me"), 401, "not-signed-in")
    served.cli("gc")
    assert served.fsck().returncode == 0
    assert served.person("alice").names() == []


def test_an_empty_account_goes_without_a_word(served, alice):
    served.cli("user", "remove", "alice")
    assert state(served, "alice") is None


def test_files_are_handed_on(served, alice):
    alice.file("a", b"keep me")
    bob = served.person("bob")
    served.cli("user", "remove", "--files", "transfer=bob", "alice")
    assert state(served, "alice") is None
    folder, = bob.names()
    assert ok(bob.content(f"{folder}/a")).content == b"keep me"
    assert served.fsck().returncode == 0


@pytest.mark.parametrize("heir", ["nobody", "alice"])
def test_nobody_to_hand_files_to(served, alice, heir):
    alice.file("a")
    assert served.cli("user", "remove", "--files", f"transfer={heir}", "alice", check=False).returncode == 1
    assert alice.names() == ["a"]


def test_an_invitation_is_for_one_account(server_factory):
    coffer = server_factory(site_register="invite")
    link = coffer.cli("user", "invite", "--days", "1").stdout.strip()
    assert re.fullmatch(re.escape(coffer.url) + r"/register\?invite=[A-Za-z0-9_-]{43}", link)
    token = link.partition("=")[2]
    for name, status in (("carol", 201), ("dave", 403)):
        answer = coffer.anon().post("/api/v1/register", json={"username": name, "password": PASSWORD, "invite": token})
        assert answer.status_code == status, answer.text


def test_an_invitation_that_does_not_hold_yet_is_told(served):
    assert "site.register is open" in served.cli("user", "invite").stderr


def test_a_reset_link_sets_one_new_password(served, alice):
    done = served.cli("user", "reset", "alice")
    assert re.fullmatch(re.escape(served.url) + r"/reset\?token=[A-Za-z0-9_-]{43}\n", done.stdout) and "one use" in done.stderr
    token, new = done.stdout.strip().partition("=")[2], "another horse battery staple 43"
    ok(served.anon().post("/api/v1/reset", json={"token": token, "new_password": new}), 204)
    problem(alice.get("/api/v1/me"), 401, "not-signed-in")
    alice.login(password=new)
    assert served.anon().post("/api/v1/reset", json={"token": token, "new_password": PASSWORD}).status_code == 403


@pytest.mark.sqlite("looks into the database or the folder of blobs")
def test_backups_hold_no_links(coffer, tmp_path):
    coffer.cli("user", "reset", "ann")
    coffer.cli("user", "invite")
    coffer.cli("backup", str(tmp_path / "b"))
    assert sqlite_rows(coffer.database(), "SELECT (SELECT count(*) FROM reset), (SELECT count(*) FROM invite)") == [(1, 1)]
    assert sqlite_rows(tmp_path / "b" / "coffer.db", "SELECT (SELECT count(*) FROM reset), (SELECT count(*) FROM invite)") == [(0, 0)]


@pytest.mark.parametrize("command", [["disable"], ["enable"], ["role"], ["role", "x"], ["role", "x", "king"], ["quota"], ["remove"],
                                     ["remove", "--files", "keep", "x"], ["remove", "--files"], ["invite", "x"], ["invite", "--days", "0"],
                                     ["invite", "--days", "366"], ["reset"]])
def test_wrong_usage(idle, command):
    assert idle.cli("user", *command, check=False).returncode == 64


@pytest.mark.parametrize("command", [["disable", "x1y"], ["enable", "x1y"], ["role", "x1y", "user"], ["quota", "x1y"], ["remove", "x1y"], ["reset", "x1y"]])
def test_nobody_of_that_name(served, command):
    done = served.cli("user", *command, check=False)
    assert done.returncode == 1 and "no account x1y" in done.stderr
