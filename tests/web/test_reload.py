"""SIGHUP, retirement, restart: nobody who asks notices."""
import os
import select
import signal
import threading
import time

from harness import PATIENCE_S, ok, wait_for


class Traffic:
    """Clients that ask and upload all the time; what did not go well is in `failures`."""

    def __init__(self, coffer, clients=4):
        self.people = [coffer.person() for _ in range(clients)]
        self.failures, self.done, self.over = [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(p,)) for p in self.people]

    def run(self, person):
        n = 0
        while not self.over.is_set():
            n += 1
            try:
                for response in (person.get("/api/v1/me"), person.put(f"f{n % 5}", b"x" * (300_000 if n % 4 == 0 else 100))):
                    if response.status_code not in (200, 201):
                        self.failures.append((response.status_code, response.text[:300]))
            except Exception as e:  # whatever it is, a client saw it
                self.failures.append(repr(e))
            self.done += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(PATIENCE_S)


def test_hup_replaces_every_worker_without_a_failed_request(server_factory):
    coffer = server_factory()
    with Traffic(coffer) as traffic:
        for _ in range(3):
            before = set(coffer.workers())
            os.kill(coffer.coffer.pid, signal.SIGHUP)
            assert wait_for(lambda: not before & set(coffer.workers()) and len(coffer.workers()) == len(before)), coffer.workers()
        assert wait_for(lambda: traffic.done > 20)
    assert traffic.failures == []


def test_hup_takes_the_new_configuration(server_factory):
    coffer = server_factory(site_title="Old title")
    coffer.write_conf(site_title="New title")
    os.kill(coffer.coffer.pid, signal.SIGHUP)
    assert wait_for(lambda: "New title" in coffer.anon().get("/login", headers={"Accept": "text/html"}).text, step=0.2)


def test_hup_with_a_bad_file_keeps_the_old_workers(server_factory):
    coffer = server_factory()
    before, mark = coffer.workers(), coffer.log_mark()
    coffer.write_conf(site_nonsense="yes")
    os.kill(coffer.coffer.pid, signal.SIGHUP)
    assert wait_for(lambda: "nonsense" in coffer.log_path.read_bytes()[mark:].decode()), "the log names the setting"
    time.sleep(0.5)
    assert coffer.workers() == before and coffer.healthy()


def test_workers_retire_without_a_failed_request(server_factory):
    coffer = server_factory(pool_retire=15)
    before = set(coffer.workers("api"))
    with Traffic(coffer, 3) as traffic:
        assert wait_for(lambda: not before & set(coffer.workers("api")))
    assert traffic.failures == []


def test_a_dead_worker_is_replaced(server_factory):
    coffer = server_factory()
    for role in ("api", "login", "bulk", "keeper"):
        victim = coffer.workers(role)[0]
        n = len(coffer.workers(role))
        os.kill(victim, signal.SIGKILL)
        assert wait_for(lambda: victim not in coffer.workers(role) and len(coffer.workers(role)) == n), role


def test_term_drains_and_ends_in_time(server_factory):
    coffer = server_factory()
    alice = coffer.person()
    head = coffer.request_text("PUT", "/api/v1/content/a", "Content-Length: 300000", cookie=alice.cookie)
    with coffer.connect() as s:
        s.sendall(head + b"x" * 1000)
        assert coffer.end("coffer", signal.SIGTERM) == 0
        assert select.select([s], [], [], 0)[0] == [], "it waited until the client was given up"


def test_everything_is_there_after_a_restart(server_factory):
    coffer = server_factory()
    alice = coffer.person()
    alice.file("small", b"s")
    ok(alice.put("large", b"l" * 300_000), 201)
    coffer.restart()
    assert alice.names() == ["large", "small"] and alice.content("large").content == b"l" * 300_000
