"""Two hosts with Coffer that share MongoDB and S3, behind one balancer (nginx/balancer-nginx.conf): as good as one.

Needs both servers: COFFER_TEST_MONGODB_URI, and COFFER_TEST_S3_URI with the AWS_* of s3bench.py.
"""
import concurrent.futures
import os
import re
import signal
import subprocess
import threading
import time

import httpx
import pytest

from harness import PASSWORD, PATIENCE_S, TOP, HarnessError, Installation, Noise, free_port, nginx_program, ok, problem, sha256, unique, wait_for
from s3bench import proxy_of_s3

MONGODB, S3 = os.environ.get("COFFER_TEST_MONGODB_URI"), os.environ.get("COFFER_TEST_S3_URI")
pytestmark = pytest.mark.skipif(not (MONGODB and S3), reason="COFFER_TEST_MONGODB_URI and COFFER_TEST_S3_URI are not both set")
TURN_S = 30  # TURN_MS of fcgi-app/jobs/keeper.c
TXN_S = 60   # MongoDB's transactionLifetimeLimitSeconds: so long a dead worker's transaction keeps one space waiting


class Site:
    """Two nodes and what stands before them; speaks to tests like one Installation."""

    tls = trust = False
    cookie = "coffer"

    def __init__(self, s3):
        self.authority = f"127.0.0.1:{free_port()}"
        self.url, self.people, self.balancer = f"http://{self.authority}", [], None
        name = unique("two-")
        shared = {"site.public_url": self.url, "web.trusted_proxies": "127.0.0.1", "store.s3_endpoint": s3.url, "gc.grace": "0s",
                  "store.metadata": re.sub(r"^(mongodb://[^/?]+)/?[^?]*", rf"\1/{name}", MONGODB), "store.blobs": f"{S3}/{name}"}
        self.nodes = [Installation(shared, name=f"node-{n}") for n in "ab"]
        for node in self.nodes:
            node.settings["site.hosts"] = node.authority  # so that tests can also ask one of them

    def start(self):
        for node in self.nodes:
            node.start()
        self.folder = self.nodes[0].dir
        text = (TOP / "nginx" / "balancer-nginx.conf").read_text().replace("listen 127.0.0.1:8080", f"listen {self.authority}")
        for example, node in zip(("192.0.2.11:8080", "192.0.2.12:8080"), self.nodes):
            assert example in text
            text = text.replace(example, node.authority)
        (self.folder / "balancer.conf").write_text(f"pid {self.folder}/balancer.pid; events {{ }}\nhttp {{ access_log off;\n{text}\n}}\n")
        self.balancer = subprocess.Popen([nginx_program(), "-p", self.folder, "-c", self.folder / "balancer.conf", "-e", "stderr", "-g",
                                          "daemon off; worker_processes 1;"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not wait_for(self.healthy):
            raise HarnessError("the balancer does not answer")
        return self

    def healthy(self):
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False, timeout=PATIENCE_S).status_code == 200
        except httpx.HTTPError:
            return False

    def close(self):
        for person in self.people:
            person.close()
        if self.balancer:
            self.balancer.terminate()
            self.balancer.wait(PATIENCE_S)
        for node in self.nodes:
            node.close()

    def person(self):
        """A new account, signed in through the balancer."""
        person = Installation.person(self)
        person.http.timeout = httpx.Timeout(PATIENCE_S)
        return person

    def anon(self, **options):
        return Installation.anon(self, **options)


def pull_the_plug(node):
    """The host is gone: every process at once, none of them asked."""
    victims = [node.coffer.pid, node.nginx.pid, *node.workers(), *node.nginx_workers()]
    node.kill(*victims)
    node.end("coffer", signal.SIGKILL)
    node.end("nginx", signal.SIGKILL)


@pytest.fixture(scope="module")
def s3():
    with proxy_of_s3() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def site(s3, request):
    site = Site(s3)
    try:
        yield site.start()
        if request.session.testsfailed:
            print("logs kept in", *(node.keep() for node in site.nodes))
    finally:
        site.close()


@pytest.fixture
def nodes(site):
    return site.nodes


@pytest.fixture
def at(site):
    """at(node, person): the same session, on that node and past the balancer."""
    def client(node, person):
        there = node.anon(cookies={node.cookie: person.cookie} if person else {})
        return there
    return client


# ---------------------------------------------------------------- one person, two nodes
def test_a_session_is_known_and_ended_everywhere(site, nodes, at):
    alice = site.person()
    there = [at(node, alice) for node in nodes]
    assert [person.me()["username"] for person in there] == [alice.name] * 2
    ok(there[0].post("/api/v1/logout"), 204)
    for person in there:
        problem(person.get("/api/v1/me"), 401, "not-signed-in")


def test_what_one_stores_the_other_serves(site, nodes, at):
    alice = site.person()
    first, second = (at(node, alice) for node in nodes)
    for size in (0, 10_000, 300_000, 20 << 20):
        data = Noise(size, seed=size).read()
        tag = ok(first.put(f"f{size}", data), 201).headers["etag"]
        answer = ok(second.content(f"f{size}"))
        assert answer.content == data and answer.headers["etag"] == tag
        assert second.content(f"f{size}", headers={"If-None-Match": tag}).status_code == 304
    ok(second.delete("/api/v1/content/f0"), 204)
    assert sorted(first.names()) == ["f10000", "f20971520", "f300000"]


def at_once(jobs):
    """Run them at the same time; what they gave, in their order."""
    gate = threading.Barrier(len(jobs))

    def run(job):
        gate.wait()
        return job()
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(run, job) for job in jobs]]


def test_one_name_goes_to_one(site, nodes, at):
    """Both nodes are asked for the same new name at once; the others are told that it is taken, or to come back."""
    alice = site.person()
    people = [at(node, alice) for node in nodes for _ in range(3)]
    for n in range(5):
        answers = at_once([lambda p=p: p.put(f"name-{n}", p.coffer.name.encode() * 100, headers={"If-None-Match": "*"}).status_code for p in people])
        assert answers.count(201) <= 1 and set(answers) <= {201, 412, 503}, answers
        assert alice.names().count(f"name-{n}") == 1, answers
    assert alice.me()["used"] == 5 * 600


def test_a_quota_holds_over_both(site, nodes, at):
    alice = site.person()
    nodes[0].cli("user", "quota", alice.name, "1M")
    people = [at(node, alice) for node in nodes for _ in range(3)]
    answers = [at_once([lambda p=p, n=n: p.put(f"{n}-{turn}", b"x" * 200_000).status_code for n, p in enumerate(people)]) for turn in range(3)]
    assert {status for turn in answers for status in turn} <= {201, 507, 503}, answers
    stored = len(alice.names())
    assert 1 <= sum(turn.count(201) for turn in answers) <= stored <= 5
    assert alice.me()["used"] == stored * 200_000


# ---------------------------------------------------------------- one of the two goes
class Uploader(threading.Thread):
    """Small and large files through the balancer, one after the other; what was acknowledged is remembered."""

    def __init__(self, site, number):
        super().__init__()
        self.person, self.number, self.over, self.stored, self.refused = site.person(), number, threading.Event(), {}, 0

    def run(self):
        n = 0
        while not self.over.is_set():
            n += 1
            name, data = f"u{n}", Noise((2_000, 400_000)[n % 2], seed=f"{self.number}-{n}").read()
            try:
                answer = self.person.put(name, data)
            except httpx.HTTPError:
                self.refused += 1
                continue
            if answer.status_code == 201:
                self.stored[name] = sha256(data)
            else:
                assert answer.status_code in (409, 412, 500, 502, 503, 504), answer.text
                self.refused += 1
                self.over.wait(0.1)


@pytest.mark.slow  # MongoDB may keep what the dead had begun for a minute or two
def test_one_is_killed_under_load(site, nodes, at):
    uploaders = [Uploader(site, n) for n in range(4)]
    for uploader in uploaders:
        uploader.start()
    try:
        assert wait_for(lambda: all(len(u.stored) >= 3 for u in uploaders))
        pull_the_plug(nodes[1])
        before = [len(u.stored) for u in uploaders]
        assert wait_for(lambda: all(len(u.stored) >= n + 5 for u, n in zip(uploaders, before)), 3 * TXN_S), "the other does not go on"
    finally:
        for uploader in uploaders:
            uploader.over.set()
        for uploader in uploaders:
            uploader.join(PATIENCE_S)
    for uploader in uploaders:
        there = at(nodes[0], uploader.person)
        for name, digest in uploader.stored.items():
            assert sha256(ok(there.content(name)).content) == digest, name
    nodes[1].start_coffer()
    nodes[1].start_nginx()
    back = at(nodes[1], uploaders[0].person)
    assert wait_for(lambda: back.put("after", b"back again").status_code in (200, 201), step=1)
    assert ok(at(nodes[0], uploaders[0].person).content("after")).content == b"back again"
    nodes[0].cli("keeper", "--once")
    found = nodes[0].fsck()
    assert found.returncode == 0, found.stdout + found.stderr


# ---------------------------------------------------------------- two keepers
def contents(s3, method):
    """The contents that S3 was asked for by this method, in that order."""
    return [line.split()[1] for line in s3.requests(method) if "/blobs/" in line]


def test_the_keepers_do_nothing_twice(site, nodes, s3):
    """What was deleted is collected, each contents by one request, though there are two keepers."""
    alice = site.person()
    folder = alice.folder("gone")
    s3.heads.clear()
    for n in range(12):
        alice.file(f"f{n}", Noise(1000, seed=n).read(), parent=folder["id"])
    stored = set(contents(s3, b"PUT "))

    def removed():
        return [key for key in contents(s3, b"DELETE ") if key in stored]  # earlier tests left some to collect, too
    ok(alice.delete("/api/v1/content/gone"), 204)
    assert wait_for(lambda: alice.me()["used"] == 0, step=0.2), "nobody reaps"
    for node in nodes:  # new keepers, who do at once what the old ones would within a minute
        os.kill(node.coffer.pid, signal.SIGHUP)
    assert len(stored) == 12 and wait_for(lambda: set(removed()) == stored, step=0.2), removed()
    time.sleep(2)
    assert len(removed()) == 12 and alice.me()["used"] == 0


@pytest.mark.slow  # MongoDB may keep what the dead had begun for a minute or two
def test_the_other_keeper_goes_on(site, nodes, at):
    """Whose turn it was is gone with its host: the other takes it when it is over."""
    alice = site.person()
    for node, other in ((nodes[0], nodes[1]), (nodes[1], nodes[0])):  # one of the two had the turn
        pull_the_plug(node)
        person = at(other, alice)
        folder = person.folder("gone")
        person.file("f", b"x" * 1000, parent=folder["id"])
        ok(person.delete("/api/v1/content/gone"), 204)
        assert wait_for(lambda: person.me()["used"] == 0, step=0.2), f"{other.name}'s keeper does nothing"
        node.start_coffer()
        node.start_nginx()


# ---------------------------------------------------------------- last, because it closes the door for a while
def test_guessing_is_counted_together(site, nodes):
    """Half of the tries here and half there do not make twice as many."""
    alice = site.person()
    answers = []
    for n in range(40):
        guesser = nodes[n % 2].anon()
        answers.append(guesser.post("/api/v1/login", json={"username": alice.name, "password": f"wrong {PASSWORD} {n}"}).status_code)
        guesser.close()
        nodes[n % 2].people.remove(guesser)
        if answers[-2:] == [429, 429]:
            break
    assert answers[-2:] == [429, 429], answers
    assert set(answers) == {401, 429}
