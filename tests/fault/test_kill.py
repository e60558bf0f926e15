"""kill -9 of any process while eight clients upload: nothing acknowledged is lost, nothing is half there, the books are right."""
import dataclasses
import os
import random
import signal
import threading
import time

import httpx
import pytest
from harness import ALL, PATIENCE_S, Noise, ok, sha256, sqlite_rows, wait_for

pytestmark = pytest.mark.alone("eight clients and whoever kills want the whole machine")

CLIENTS = 8
SECONDS = 20 if ALL else 1.5
WAYS = [("put", 100), ("put", 100_000), ("put", 300_000), ("put", 2_000_000), ("chunked", 500_000), ("form", 50_000), ("form", 400_000)]


@dataclasses.dataclass
class Name:
    """What may be found under one name: the last content that was acknowledged, or one whose answer never came."""
    acknowledged: str = None
    unknown: set = dataclasses.field(default_factory=set)


class Uploader(threading.Thread):
    """Uploads under ten names, again and again, and keeps the books."""

    def __init__(self, coffer, seed):
        super().__init__()
        self.person, self.random = coffer.person(), random.Random(seed)
        self.names, self.over, self.answers = {}, threading.Event(), 0

    def run(self):
        while not self.over.is_set():
            way, size = self.random.choice(WAYS)
            name = self.names.setdefault(f"{way}-{size}-{self.random.randrange(3)}", Name())
            data = Noise(size, self.random.random()).read()
            self.note(name, sha256(data), self.send(way, next(k for k, v in self.names.items() if v is name), data))

    def send(self, way, name, data):
        try:
            if way == "form":
                return self.person.upload((name, data), conflict="replace").status_code
            return self.person.put(name, data if way == "put" else iter([data])).status_code
        except httpx.HTTPError:
            return None

    def note(self, name, digest, status):
        if status in (200, 201):
            name.acknowledged = digest
            self.answers += 1
        else:
            assert status is None or status >= 500, status
            name.unknown.add(digest)
            self.over.wait(0.05)

    def check(self):
        """Everything acknowledged is there byte for byte; what is there besides is whole."""
        items = {item["name"]: item for item in self.person.all()}
        for text, name in self.names.items():
            assert name.acknowledged is None or text in items, f"{text} was acknowledged and is gone"
            if text in items:
                contents = ok(self.person.get(f"/api/v1/files/{items[text]['id']}")).content
                assert len(contents) == items[text]["size"]
                assert sha256(contents) in name.unknown | {name.acknowledged}, f"{text} is none of what was sent"
        assert set(items) <= set(self.names)
        assert self.person.me()["used"] == sum(item["size"] for item in items.values())


def kill_worker(role):
    def kill(coffer, dice):
        pids = coffer.workers(role)
        coffer.kill(*dice.sample(pids, min(len(pids), 2)))
    return kill


def kill_master(coffer, dice):
    below = coffer.workers()
    coffer.kill(coffer.coffer.pid)
    coffer.coffer.wait()
    assert wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in below)), "workers outlive their master"
    coffer.start_coffer()


def kill_nginx_worker(coffer, dice):
    coffer.kill(dice.choice(coffer.nginx_workers()))


def kill_nginx(coffer, dice):
    coffer.end("nginx", signal.SIGKILL)  # with its workers, as systemd does
    coffer.start_nginx()


def kill_everything(coffer, dice):
    pids = [coffer.coffer.pid, *coffer.workers(), coffer.nginx.pid, *coffer.nginx_workers()]
    dice.shuffle(pids)
    coffer.kill(*pids)
    coffer.end("coffer", signal.SIGKILL)
    coffer.end("nginx", signal.SIGKILL)
    coffer.start_coffer()
    coffer.start_nginx()


VICTIMS = {
    "api worker": kill_worker("api"), "bulk worker": kill_worker("bulk"), "login worker": kill_worker("login"), "keeper": kill_worker("keeper"),
    "master": kill_master, "nginx worker": kill_nginx_worker, "nginx master": kill_nginx, "everything": kill_everything,
}


def let_time_pass(coffer):
    """What a crash leaves is given back when it is over: make it so, then one round of the keeper."""
    coffer.stop()
    sqlite_rows(coffer.database(), "update upload set expires_ms = 1")
    for folder in ("incoming", "blobs"):
        for path in (coffer.data / folder).rglob("*"):
            if path.is_file() and not (folder == "blobs" and len(path.name) != 32):
                os.utime(path, (1, 1))
    coffer.cli("gc")
    coffer.start_coffer()
    coffer.start_nginx()


def few(uploaders):
    """On a busy machine uploads, too, take longer."""
    return sum(uploader.answers for uploader in uploaders) <= CLIENTS


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("round", range(5 if ALL else 1))
def test_kill(server_factory, victim, round):
    seed = int(os.environ.get("COFFER_TEST_SEED", random.randrange(1 << 30)))
    print(f"COFFER_TEST_SEED={seed}")
    coffer, dice = server_factory(gc_grace="0s"), random.Random(seed)
    uploaders = [Uploader(coffer, f"{seed}-{n}") for n in range(CLIENTS)]
    for uploader in uploaders:
        uploader.start()
    try:
        began = time.monotonic()
        while (spent := time.monotonic() - began) < SECONDS or few(uploaders) and spent < PATIENCE_S:
            time.sleep(dice.uniform(0.1, 1))
            VICTIMS[victim](coffer, dice)
    finally:
        for uploader in uploaders:
            uploader.over.set()
        for uploader in uploaders:
            uploader.join(PATIENCE_S)
    assert wait_for(coffer.healthy)
    assert not few(uploaders), "hardly anything was uploaded"
    for uploader in uploaders:
        uploader.check()
    let_time_pass(coffer)
    done = coffer.fsck()
    assert (done.returncode, done.stdout) == (0, "0 damaged, 0 repaired, 0 notes\n"), done.stdout + done.stderr
    for uploader in uploaders:
        uploader.check()
    assert coffer.spool_is_empty()
    assert sqlite_rows(coffer.database(), "select count(*), (select sum(reserved) from space) from upload") == [(0, 0)]
    live = {item["etag"].strip('"') for u in uploaders for item in u.person.all()}
    assert {path.name for path in coffer.blobs()} == live, "contents that nobody refers to are still there"


def test_a_start_after_kill_9_finds_everything(server_factory):
    """A socket, a pid file, a lock: nothing that is left behind stands in the way."""
    coffer = server_factory()
    alice = coffer.person()
    ok(alice.put("a", b"x" * 300_000), 201)
    for _ in range(3):
        kill_everything(coffer, random.Random(1))
    assert alice.content("a").content == b"x" * 300_000
    assert coffer.fsck().returncode == 0
