"""A MongoDB that breaks off, steps down, is full or slow in the midst of a write: nothing is made twice, nothing is lost."""
import pytest
from harness import Installation, ok, problem, wait_for
from mongobench import assert_whole, needs_mongodb, used
from mongowire import MongoServer

pytestmark = needs_mongodb


@pytest.fixture(scope="module")
def mongo():
    """One server for all tests, which leave it as it was."""
    with MongoServer("--enable-test-commands") as server:
        yield server


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
            again = wait_for(lambda: (a := alice.put(f"f{i}", b"x" * 10)).status_code != 503 and a)
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
    assert wait_for(lambda: alice.put("last", b"1").status_code == 201)


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
