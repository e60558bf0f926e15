"""A MongoDB that dies and comes back: nothing acknowledged is lost, and everybody goes on by themselves."""
import threading

import pytest
from harness import HarnessError, ok, problem, wait_for
from mongobench import assert_whole, needs_mongodb, own, used  # noqa: F401 (a fixture)

pytestmark = needs_mongodb


def test_a_server_that_dies_and_comes_back(server_factory, own):
    coffer = server_factory(store_metadata=own.uri())
    alice = coffer.person()
    ok(alice.put("before", b"before"), 201)
    workers = coffer.workers()
    own.kill()

    def refused():
        answer = alice.get("/api/v1/me")
        problem(answer, 503, "store-unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        return "not reachable a moment ago" in coffer.log_text()
    assert wait_for(refused), "one finds out, and for a moment nobody else tries: they are told"
    problem(alice.put("during", b"x"), 503, "store-unavailable")
    assert ok(alice.get("/assets/manifest.json")).status_code == 200  # what needs no records goes on
    own.start()
    assert wait_for(lambda: alice.get("/api/v1/me").status_code == 200)
    assert coffer.workers() == workers
    assert ok(alice.content("before")).content == b"before"
    assert alice.content("during").status_code == 404
    ok(alice.put("during", b"x"), 201)
    assert_whole(coffer)


def test_killed_during_uploads_nothing_acknowledged_is_lost(server_factory, own):
    coffer = server_factory(store_metadata=own.uri())
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
        assert wait_for(lambda: sum(map(len, kept)) > before + 3), "no upload gets through"
        own.kill()
        own.start()
    assert wait_for(lambda: sum(map(len, kept)) > before + 6)
    stop.set()
    for thread in threads:
        thread.join()
    for person, names in zip(people, kept, strict=True):
        there = {item["name"]: item["size"] for item in person.all()}
        assert names <= set(there)
        assert used(person) == sum(there.values())
    assert_whole(coffer)


def test_serve_waits_for_a_server_that_starts_later(server_factory, own):
    coffer = server_factory(store_metadata=own.uri(), store_wait="2m")
    coffer.stop()
    own.kill()
    coffer.start_with_a_store_that_comes_later(own.start)
    assert coffer.log_text().count("trying again for 120 s (store.wait)") == 1
    ok(coffer.person().put("a", b"x"), 201)


def test_serve_refuses_at_once_when_told_so_and_starts_when_somebody_is_there(server_factory, own):
    coffer = server_factory(store_metadata=own.uri(), store_wait="0")
    coffer.person()
    coffer.stop()
    own.kill()
    with pytest.raises(HarnessError, match="nobody answers"):
        coffer.start_coffer()
    own.start()
    coffer.start()
    assert coffer.healthy()
