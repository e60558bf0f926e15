"""The database is locked by another process: 503 and when to come back, then as if nothing had been."""
import concurrent.futures
import contextlib
import sqlite3
import threading
import time

import pytest
from harness import PASSWORD, ok, problem


@contextlib.contextmanager
def locked(coffer):
    db = sqlite3.connect(coffer.database(), isolation_level=None, timeout=10)
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        db.execute("ROLLBACK")
        db.close()


@pytest.fixture
def coffer(server_factory):
    return server_factory(store_busy_timeout="1s")


def writes(alice):
    return {
        "small": lambda: alice.put("small", b"x"),
        "large": lambda: alice.put("large", b"x" * 300_000),
        "form": lambda: alice.upload(("form", b"x" * 300_000)),
        "folder": lambda: alice.post("/api/v1/folders", json={"name": "folder"}),
        "delete": lambda: alice.delete("/api/v1/content/kept"),
        "login": lambda: alice.post("/api/v1/login", json={"username": alice.name, "password": PASSWORD}),
    }


@pytest.mark.parametrize("what", ["small", "large", "form", "folder", "delete", "login"])
def test_a_write_is_503_after_the_busy_timeout(coffer, what):
    alice = coffer.person()
    alice.file("kept", b"kept")
    with locked(coffer):
        began = time.monotonic()
        response = writes(alice)[what]()
        assert 0.5 < time.monotonic() - began < 4
        problem(response, 503, "store-unavailable")
        assert int(response.headers["retry-after"]) >= 1
    assert alice.names() == ["kept"] and alice.me()["used"] == 4
    assert writes(alice)[what]().status_code in (200, 201, 204)
    assert coffer.spool_is_empty() and coffer.fsck().returncode == 0


def test_reading_goes_on(coffer):
    alice = coffer.person()
    alice.file("kept", b"kept")
    with locked(coffer):
        assert alice.content("kept").content == b"kept" and alice.names() == ["kept"] and alice.me()["used"] == 4
        assert coffer.healthy()


def test_a_short_lock_is_waited_for(coffer):
    alice = coffer.person()
    taken = threading.Event()

    def hold():
        with locked(coffer):
            taken.set()
            time.sleep(0.5)
    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait()
    ok(alice.put("a", b"x"), 201)
    holder.join()


def test_ten_seconds_under_load(server_factory):
    """With the default timeout; the clients that were refused succeed when they come back."""
    coffer = server_factory(pool_api=4)
    people = [coffer.person() for _ in range(8)]
    over = time.monotonic() + 10
    refused = []

    def insist(person):
        while True:
            response = person.put("a", b"x")
            if response.status_code == 201:
                return time.monotonic()
            refused.append(response)
            assert time.monotonic() < over + 20
            time.sleep(min(int(response.headers["retry-after"]), 2))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        with locked(coffer):
            futures = [pool.submit(insist, person) for person in people]
            time.sleep(10)
        done = [future.result() for future in futures]
    assert refused and max(done) < over + 15
    for response in refused:
        problem(response, 503, "store-unavailable")
    assert coffer.fsck().returncode == 0
