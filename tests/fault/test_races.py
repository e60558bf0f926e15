"""Many clients at the same thing at the same moment: every answer is one that some order would give, and the books are right."""
import contextlib
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import ALL, PATIENCE_S, Installation, ok, sha256, unique, wait_for

CLIENTS = 16
ROUNDS = 1000 if ALL else 100


class Crowd:
    """One account, many clients, who start together."""

    def __init__(self, coffer):
        self.first = coffer.person()
        self.clients = [self.first] + [coffer.anon() for _ in range(CLIENTS - 1)]
        for client in self.clients[1:]:
            client.name = self.first.name
            client.http.cookies = self.first.http.cookies
        self.pool, self.gate = ThreadPoolExecutor(CLIENTS), threading.Barrier(CLIENTS)

    def at_once(self, act):
        """act(client, number) by everybody; the answers in order."""
        def one(number):
            self.gate.wait(PATIENCE_S)
            return act(self.clients[number], number)
        return list(self.pool.map(one, range(CLIENTS)))

    def statuses(self, act):
        return sorted(answer.status_code for answer in self.at_once(act))

    def clear(self):
        ids = [item["id"] for item in self.first.all()]
        for at in range(0, len(ids), 500):
            items = ok(self.first.post("/api/v1/batch", json={"delete": ids[at:at + 500]})).json()["items"]
            assert {item["status"] for item in items} == {204}

    def close(self):
        self.pool.shutdown()


@pytest.fixture(scope="module")
def coffer():
    with Installation({"pool.api": 8, "pool.bulk": 8, "session.per_user": 10}, name="races") as installation:
        yield installation.start()


@pytest.fixture
def crowd(coffer):
    crowd = Crowd(coffer)
    yield crowd
    crowd.clear()
    assert wait_for(lambda: crowd.first.me()["used"] == 0, step=0.2), "deleted files still count"
    crowd.close()
    done = coffer.fsck()
    assert done.returncode == 0, done.stdout
    assert coffer.spool_is_empty()


@contextlib.contextmanager
def quota(coffer, person, most):
    """The account has that quota meanwhile, whatever tool set it."""
    user = person.me()["id"]

    def put(value):
        with contextlib.closing(sqlite3.connect(coffer.database(), timeout=PATIENCE_S)) as db, db:
            db.execute("UPDATE space SET quota = ? WHERE personal_of = ?", (value, user))
    put(most)
    yield
    put(0)


def move(client, node, parent):
    return client.request("PATCH", f"/api/v1/files/{node}", json={"parent": parent})


# ---------------------------------------------------------------- one name
def test_one_folder_of_a_name(crowd):
    root = crowd.first.root
    for n in range(ROUNDS):
        name = f"f{n}"
        got = crowd.statuses(lambda client, _, name=name: client.post("/api/v1/folders", json={"parent": root, "name": name}))
        assert got == [201] + [409] * (CLIENTS - 1), got
    assert len(crowd.first.all()) == ROUNDS


def test_puts_replace_each_other_and_one_makes_the_file(crowd):
    for n in range(ROUNDS):
        got = crowd.statuses(lambda client, number, n=n: client.put(f"name{n}", f"round {n} client {number:02}".encode()))
        assert got == [200] * (CLIENTS - 1) + [201], got
        assert crowd.first.content(f"name{n}").text[:-2] == f"round {n} client "
    assert crowd.first.me()["used"] == sum(item["size"] for item in crowd.first.all())


def test_large_puts_replace_each_other(crowd):
    for n in range(ROUNDS // 10):
        got = crowd.statuses(lambda client, number, n=n: client.put(f"name{n}", bytes([number]) * 250_000))
        assert got == [200] * (CLIENTS - 1) + [201], got
        content = crowd.first.content(f"name{n}").content
        assert content == content[:1] * 250_000
    assert crowd.first.me()["used"] == 250_000 * (ROUNDS // 10)


def test_if_none_match_lets_one_in(crowd):
    for n in range(ROUNDS):
        got = crowd.statuses(lambda client, number, n=n: client.put(f"name{n}", str(number).encode(), headers={"If-None-Match": "*"}))
        assert got == [201] + [412] * (CLIENTS - 1), got


def test_no_update_is_lost_with_if_match(crowd):
    tag = ok(crowd.first.put("counter", b"0"), 201).headers["etag"]
    for n in range(ROUNDS):
        answers = crowd.at_once(lambda client, number, tag=tag, n=n: client.put("counter", f"{n} {number}".encode(), headers={"If-Match": tag}))
        winners = [(number, answer) for number, answer in enumerate(answers) if answer.status_code == 200]
        assert len(winners) == 1 and sorted(a.status_code for a in answers)[1:] == [412] * (CLIENTS - 1)
        tag = winners[0][1].headers["etag"]
        assert crowd.first.content("counter").text == f"{n} {winners[0][0]}"


def test_conflict_rename_gives_everybody_a_name(crowd):
    for n in range(max(ROUNDS // 10, 1)):
        answers = crowd.at_once(lambda client, number: client.upload(("a.txt", str(number).encode()), conflict="rename"))
        assert [a.status_code for a in answers] == [201] * CLIENTS
        names = {a.json()["name"] for a in answers}
        assert names == {"a.txt"} | {f"a ({k}).txt" for k in range(1, CLIENTS)}, names
        crowd.clear()


# ---------------------------------------------------------------- moves
def test_two_moves_make_no_cycle(crowd):
    root = crowd.first.root
    for n in range(ROUNDS):
        one, two = crowd.first.folder(f"one{n}", root), crowd.first.folder(f"two{n}", root)
        got = crowd.statuses(lambda client, number, pair=(one["id"], two["id"]): move(client, pair[number % 2], pair[1 - number % 2]))
        assert got.count(409) == CLIENTS // 2 and got.count(200) == CLIENTS // 2, got  # one direction won, its repeats change nothing
        top = [item for item in crowd.first.all() if item["name"] in (f"one{n}", f"two{n}")]
        assert len(top) == 1 and len(crowd.first.names(top[0]["id"])) == 1


def test_a_ring_of_moves_stays_a_tree(crowd):
    root = crowd.first.root
    for n in range(max(ROUNDS // 4, 1)):
        top = crowd.first.folder(f"ring{n}", root)
        ids = [crowd.first.folder(f"f{i}", top["id"])["id"] for i in range(CLIENTS)]
        got = crowd.statuses(lambda client, number, ids=ids: move(client, ids[number], ids[(number + 1) % CLIENTS]))
        assert got == [200] * (CLIENTS - 1) + [409], got
        usage = ok(crowd.first.get(f"/api/v1/files/{top['id']}/info", params={"usage": 1})).json()["usage"]
        assert usage["folders"] == CLIENTS


def test_moves_to_one_name(crowd):
    root = crowd.first.root
    for n in range(max(ROUNDS // 4, 1)):
        target = crowd.first.folder(f"target{n}", root)["id"]
        ids = [crowd.first.file("same", b"x", crowd.first.folder(f"from{n}-{i}", root)["id"])["id"] for i in range(CLIENTS)]
        got = crowd.statuses(lambda client, number, ids=ids, target=target: move(client, ids[number], target))
        assert got == [200] + [409] * (CLIENTS - 1), got
        assert crowd.first.names(target) == ["same"]


# ---------------------------------------------------------------- going and coming
@pytest.mark.parametrize("size", [10, 250_000], ids=["small", "large"])
def test_delete_against_upload(crowd, size):
    root = crowd.first.root
    for n in range(ROUNDS if size < 1000 else ROUNDS // 10):
        folder = crowd.first.folder(f"going{n}", root)["id"]

        def act(client, number, folder=folder):
            if number == CLIENTS // 2:
                return client.delete(f"/api/v1/files/{folder}")
            return client.upload((f"u{number}", bytes([number]) * size), parent=folder)
        answers = crowd.at_once(act)
        assert answers.pop(CLIENTS // 2).status_code == 204
        assert {a.status_code for a in answers} <= {201, 404}, sorted(a.status_code for a in answers)
        for answer in answers:
            if answer.status_code == 201:
                assert crowd.first.get(f"/api/v1/files/{answer.json()['id']}").status_code == 404


def test_delete_against_delete(crowd):
    for n in range(ROUNDS):
        node = crowd.first.file(f"f{n}", b"12345")["id"]
        got = crowd.statuses(lambda client, _, node=node: client.delete(f"/api/v1/files/{node}"))
        assert got == [204] + [404] * (CLIENTS - 1), got
        assert crowd.first.me()["used"] == 0


def test_copies_against_a_delete(crowd):
    root = crowd.first.root
    for n in range(max(ROUNDS // 2, 1)):
        data = f"contents of round {n}".encode()
        node, to = crowd.first.file(f"f{n}", data)["id"], crowd.first.folder(f"to{n}", root)["id"]

        def act(client, number, node=node, to=to):
            if number == CLIENTS // 2:
                return client.delete(f"/api/v1/files/{node}")
            return client.post(f"/api/v1/files/{node}/copy", json={"parent": to, "name": f"c{number}"})
        answers = crowd.at_once(act)
        assert answers.pop(CLIENTS // 2).status_code == 204
        assert {a.status_code for a in answers} <= {201, 404}
        for answer in answers:
            if answer.status_code == 201:
                copy = ok(crowd.first.get(f"/api/v1/files/{answer.json()['id']}")).content
                assert sha256(copy) == sha256(data)
        crowd.clear()


# ---------------------------------------------------------------- what is left
def test_a_quota_is_never_passed(coffer, crowd):
    name = unique("limited")
    limited = coffer.person(name)
    clients = [limited] + [coffer.anon().login(name, limited.password) for _ in range(9)]
    with ThreadPoolExecutor(len(clients)) as pool:
        for n in range(max(ROUNDS // 10, 1)):
            used = limited.me()["used"]
            with quota(coffer, limited, used + 5000):
                got = list(pool.map(lambda pair, n=n: pair[1].put(f"q{n}-{pair[0]}", b"x" * 1000).status_code, enumerate(clients)))
            assert sorted(got) == [201] * 5 + [507] * 5, got
    assert limited.me()["used"] == 5000 * max(ROUNDS // 10, 1)
