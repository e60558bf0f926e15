"""Records in MongoDB, and a MongoDB that is not there, refuses, dies, comes back, steps down or is slow.

These tests end and start servers, so each has one of its own: SecantusDB, which SECANTUSD names or ./check has installed
beside the program (tests/servers/mongodb, tests/requirements-servers.txt).
"""
import os
import subprocess
import threading
import time

import pytest

from harness import HarnessError, Installation, free_port, ok, problem, wait_for
from mongowire import MongoServer, SaysOfItself, command, server_program

pytestmark = pytest.mark.skipif(server_program() is None, reason="no SecantusDB: SECANTUSD names none, and none is beside the program")
DOWN_S = 3
BACK_S = 2


@pytest.fixture(scope="module")
def mongo():
    """One server for all tests that leave it as it was."""
    with MongoServer("--enable-test-commands") as server:
        yield server


@pytest.fixture
def own():
    """A server to be killed."""
    with MongoServer() as server:
        yield server


def serving(server_factory, server, db="coffer", options="", **settings):
    return server_factory(store_metadata=server.uri(db, options), **settings)


@pytest.fixture(scope="module")
def coffer(mongo, request):
    with Installation({"store.metadata": mongo.uri()}, name="mongo") as coffer:
        yield coffer.start()
        if request.session.testsfailed:
            coffer.keep()


@pytest.fixture
def alice(mongo, coffer):
    yield coffer.person()
    mongo.behave()
    assert_whole(coffer)


def assert_whole(coffer):
    """After one round of the keeper nothing is to be found."""
    coffer.cli("keeper", "--once")
    found = coffer.fsck()
    assert found.returncode == 0, found.stdout + found.stderr
    assert "0 damaged, 0 repaired" in found.stdout, found.stdout


def busy():
    """How much longer things take than on an idle machine."""
    return 1 + os.getloadavg()[0] / os.cpu_count()


def used(person):
    return person.me()["used"]


# ---------------------------------------------------------------- refusals say what to do
def refusal(server_factory, uri):
    """What `serve` says before it gives up."""
    coffer = server_factory(start=False, store_metadata=uri, store_wait="0")
    with pytest.raises(HarnessError, match="coffer serve ended"):
        coffer.start(web=False)
    return coffer.log_text()


def test_what_is_no_replica_set_is_refused(server_factory):
    with MongoServer("--standalone") as server:
        said = refusal(server_factory, server.uri())
    assert "not a replica set" in said and "--replSet" in said and "rs.initiate()" in said


def test_what_is_too_old_is_refused(server_factory):
    with SaysOfItself(setName="rs0", maxWireVersion=9) as old:  # MongoDB 4.4
        said = refusal(server_factory, old.uri)
    assert "too old" in said and "5.0" in said


def test_nobody_there_is_told(server_factory):
    begun = time.monotonic()
    said = refusal(server_factory, f"mongodb://127.0.0.1:{free_port()}/coffer")
    assert "nobody answers" in said and "store.metadata" in said
    assert time.monotonic() - begun < 10


def test_no_such_host_is_told(server_factory):
    assert "no such host" in refusal(server_factory, "mongodb://nowhere.invalid/coffer")


@pytest.fixture(scope="module")
def locked():
    """A server that wants to know who asks: made without --auth, then started with it."""
    with MongoServer() as server:
        command(server.port, "admin", {"createUser": "coffer", "pwd": "sesame", "roles": ["root"]})
        server.stop()
        server.start("--auth")
        yield server


def test_a_wrong_password_is_told_and_not_shown(server_factory, locked):
    said = refusal(server_factory, locked.uri(options="?authSource=admin", login="coffer:opensaysme@"))
    assert "user or password are refused" in said and "authSource" in said
    assert "opensaysme" not in said


def test_no_password_at_all_is_told(server_factory, locked):
    assert "has to name one" in refusal(server_factory, locked.uri())


def test_with_user_and_password_it_works(server_factory, locked):
    coffer = server_factory(store_metadata=locked.uri(options="?authSource=admin", login="coffer:sesame@"))
    alice = coffer.person()
    ok(alice.put("a", b"hello"), 201)
    assert ok(alice.content("a")).content == b"hello"
    assert "sesame" not in coffer.logs() + coffer.cli("config").stdout
    assert_whole(coffer)


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    """A server that speaks TLS, and its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], check=True,
                   capture_output=True)
    with MongoServer("--tls-cert-file", certificate, "--tls-key-file", key) as server:
        yield server, certificate


def test_a_certificate_nobody_vouches_for_is_refused(server_factory, secret):
    said = refusal(server_factory, secret[0].uri(options="?tls=true"))
    assert "TLS is refused" in said and "tlsCAFile" in said


def test_with_its_certificate_it_works(server_factory, secret):
    server, certificate = secret
    coffer = server_factory(store_metadata=server.uri(options=f"?tls=true&tlsCAFile={certificate}"))
    alice = coffer.person()
    ok(alice.put("a", b"hello"), 201)
    assert ok(alice.content("a")).content == b"hello"
    assert_whole(coffer)


# ---------------------------------------------------------------- down, and back
def test_a_server_that_dies_and_comes_back(server_factory, own):
    coffer = serving(server_factory, own)
    alice = coffer.person()
    ok(alice.put("before", b"before"), 201)
    workers = coffer.workers()
    own.kill()
    for attempt in range(3):  # the first finds out, the others are told
        begun = time.monotonic()
        answer = alice.get("/api/v1/me")
        problem(answer, 503, "store-unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert time.monotonic() - begun < DOWN_S * busy()
    problem(alice.put("during", b"x"), 503, "store-unavailable")
    assert ok(alice.get("/assets/manifest.json")).status_code == 200  # what needs no records goes on
    own.start()
    begun = time.monotonic()
    assert wait_for(lambda: alice.get("/api/v1/me").status_code == 200, 20)
    assert time.monotonic() - begun < BACK_S * busy()
    assert coffer.workers() == workers
    assert ok(alice.content("before")).content == b"before"
    assert alice.content("during").status_code == 404
    ok(alice.put("during", b"x"), 201)
    assert_whole(coffer)


def test_killed_during_uploads_nothing_acknowledged_is_lost(server_factory, own):
    coffer = serving(server_factory, own)
    people = [coffer.person() for _ in range(3)]
    stop, kept = threading.Event(), [set() for _ in people]

    def upload(n):
        for i in range(10_000):
            if stop.is_set():
                return
            answer = people[n].put(f"f{i}", b"%d" % i)
            assert answer.status_code in (201, 503), answer.text
            if answer.status_code == 201:
                kept[n].add(f"f{i}")

    threads = [threading.Thread(target=upload, args=(n,)) for n in range(len(people))]
    for thread in threads:
        thread.start()
    for _ in range(2):
        before = sum(map(len, kept))
        assert wait_for(lambda: sum(map(len, kept)) > before + 3, 30), "no upload gets through"
        own.kill()
        own.start()
    assert wait_for(lambda: sum(map(len, kept)) > before + 6, 30)
    stop.set()
    for thread in threads:
        thread.join()
    for person, names in zip(people, kept, strict=True):
        there = {item["name"]: item["size"] for item in person.all()}
        assert names <= set(there)
        assert used(person) == sum(there.values())
    assert_whole(coffer)


def test_serve_waits_for_a_server_that_starts_later(server_factory, own):
    coffer = serving(server_factory, own)
    coffer.stop()
    own.kill()
    threading.Timer(4, own.start).start()
    coffer.start()
    assert coffer.log_text().count("trying again for 30 s (store.wait)") == 1
    ok(coffer.person().put("a", b"x"), 201)


def test_serve_refuses_at_once_when_told_so_and_starts_when_somebody_is_there(server_factory, own):
    coffer = serving(server_factory, own, store_wait="0")
    coffer.person()
    coffer.stop()
    own.kill()
    with pytest.raises(HarnessError, match="nobody answers"):
        coffer.start_coffer()
    own.start()
    coffer.start()
    assert coffer.healthy()


# ---------------------------------------------------------------- writes that fail half way
TRANSIENT = {"errorLabels": ["TransientTransactionError"]}
UNKNOWN = {"errorLabels": ["UnknownTransactionCommitResult"]}
FAULTS = {
    "a write conflict": (("update",), 3, {"errorCode": 112} | TRANSIENT),
    "a lost connection": (("update",), 1, {"closeConnection": True}),
    "a commit of unknown outcome": (("commitTransaction",), 2, {"errorCode": 91} | UNKNOWN),
    "a connection lost at the commit": (("commitTransaction",), 1, {"closeConnection": True}),
    "stepping down at the commit": (("commitTransaction",), 1, {"errorCode": 10107}),
    "stepping down at a write": (("update",), 1, {"errorCode": 10107} | TRANSIENT),
    "stepping down at a question": (("find", "aggregate"), 1, {"errorCode": 10107}),
    "a server that shuts down": (("update", "aggregate"), 2, {"errorCode": 91}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_makes_nothing_twice_and_loses_nothing(mongo, alice, fault):
    commands, times, how = FAULTS[fault]
    for i, expected in enumerate((10, 20)):
        mongo.fail(*commands, times=times, **how)
        answer = alice.put(f"f{i}", b"x" * 10)
        mongo.behave()
        if answer.status_code == 503:  # it may say so; what it did or did not do is settled, and the same again is right
            problem(answer, 503, "store-unavailable")
            there = alice.content(f"f{i}").status_code == 200
            again = wait_for(lambda: (a := alice.put(f"f{i}", b"x" * 10)).status_code != 503 and a, 10)
            ok(again, 200 if there else 201)
        else:
            ok(answer, 201)
        assert used(alice) == expected
    assert sorted(alice.names()) == ["f0", "f1"]


def test_a_large_upload_is_charged_once_whatever_fails(mongo, alice):
    data = b"x" * 3_000_000
    for i, (commands, times, how) in enumerate(FAULTS.values()):
        mongo.fail(*commands, times=times, **how)
        answer = alice.put(f"f{i}", data)
        mongo.behave()
        assert answer.status_code in (201, 503), answer.text
    there = alice.all()
    assert used(alice) == len(there) * len(data)
    assert wait_for(lambda: alice.put("last", b"1").status_code == 201, 10)


def test_a_full_server_is_told_as_such(mongo, alice):
    mongo.fail("update", times=1, errorCode=14031)
    problem(alice.put("a", b"x"), 507, "disk-full")
    mongo.behave()
    ok(alice.put("a", b"x"), 201)
    assert used(alice) == 1


def test_a_slow_server_is_slow_and_nothing_else(mongo, alice):
    mongo.fail("find", "aggregate", "update", times=None, blockConnection=True, blockTimeMS=300)
    ok(alice.put("a", b"x"), 201)
    assert ok(alice.content("a")).content == b"x"


# ---------------------------------------------------------------- names
def test_names_mean_nothing(alice):
    names = ["$name", "$$ROOT", "a.b", "0", "-1", "1e3", "null", "$where", "{$gt:''}", "__proto__", "_id"]
    for name in names:
        folder = alice.folder(name)
        data = name.encode()
        ok(alice.upload((name, data), parent=folder["id"]), 201)
        assert alice.names(folder["id"]) == [name]
        path = "/".join("".join(f"%{b:02x}" for b in data) for _ in range(2))
        assert ok(alice.content(path)).content == data, name
        ok(alice.put(path, data * 2), 200)
    assert sorted(alice.names()) == sorted(names)
    assert used(alice) == 2 * sum(map(len, names))
