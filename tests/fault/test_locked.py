"""The database is locked by another process: 503 and when to come back, then as if nothing had been."""
import concurrent.futures
import contextlib
import itertools
import sqlite3
import threading
import time

import pytest
from harness import PASSWORD, PATIENCE_S, ok, problem, wait_for


@contextlib.contextmanager
def locked(coffer):
    db = sqlite3.connect(coffer.database(), isolation_level=None, timeout=PATIENCE_S)
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
        assert time.monotonic() - began > 0.5, "it has not waited"
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


def test_a_short_lock_is_waited_for(server_factory):
    coffer = server_factory(store_busy_timeout="1m")
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


def test_locked_under_load(server_factory):
    """With the default timeout, until everybody was refused once; when they come back they succeed."""
    coffer = server_factory(pool_api=4)
    people = [coffer.person() for _ in range(8)]
    refused, end = {person.name: [] for person in people}, time.monotonic() + 2 * PATIENCE_S

    def insist(person):
        while (response := person.put("a", b"x")).status_code != 201 and time.monotonic() < end:
            refused[person.name].append(response)
            time.sleep(min(int(response.headers["retry-after"]), 2))
        return response.status_code == 201
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        with locked(coffer):
            futures = [pool.submit(insist, person) for person in people]
            everybody = wait_for(lambda: all(refused.values()))
        assert everybody and all(future.result() for future in futures)
    for response in itertools.chain(*refused.values()):
        problem(response, 503, "store-unavailable")
    assert coffer.fsck().returncode == 0
