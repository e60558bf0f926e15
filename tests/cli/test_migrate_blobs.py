"""`coffer migrate --blobs`: contents go to another store whole, or the installation stays where it is."""
import fcntl
import json
import os
import pty
import re
import secrets
import signal

import pytest
from harness import PATIENCE_S, HarnessError, ok, sqlite_rows, wait_for
from stores import Blobs, installation, needs_s3, new_blobs

PAIRS = ["disk to disk", pytest.param("disk to s3", marks=needs_s3), pytest.param("s3 to disk", marks=needs_s3)]
BLOB_STORES = ["disk", pytest.param("s3", marks=needs_s3)]
FILES = 12


def contents(folder, large):
    """A folder of small files, an empty one and a large one among them."""
    folder.mkdir()
    for n in range(FILES - 2):
        (folder / f"{n}").write_bytes(secrets.token_bytes(1000 + n))
    (folder / "empty").write_bytes(b"")
    (folder / "large").write_bytes(secrets.token_bytes(large))


class Move:
    """An installation with files, and a new store that its contents are to go to."""

    def __init__(self, server_factory, tmp_path, kinds, large=300_000):
        self.coffer = installation(server_factory, "sqlite", kinds[0])
        self.source, self.tmp = tmp_path / "source", tmp_path
        contents(self.source, large)
        self.coffer.cli("import", str(self.source), "ann:/")
        self.here, self.there = self.coffer.settings["store.blobs"], new_blobs(kinds[1], self.coffer.data)
        database = self.coffer.settings["store.metadata"].removeprefix("sqlite:")
        self.blobs = [row[0] for row in sqlite_rows(database, "SELECT id FROM blob ORDER BY id")]

    def migrate(self, *options, check=True):
        return self.coffer.cli("migrate", "--blobs", *options, self.here, self.there, check=check)

    def popen(self):
        return self.coffer.begin("migrate", "--blobs", self.here, self.there)

    def whole(self, uri):
        """The installation on that store has every byte."""
        self.coffer.write_conf(store_blobs=uri)
        done = self.coffer.fsck()
        assert done.returncode == 0, done.stdout + done.stderr
        folder = self.tmp / secrets.token_hex(4)
        self.coffer.cli("export", "ann:/", str(folder))
        assert {p.name: p.read_bytes() for p in folder.iterdir()} == {p.name: p.read_bytes() for p in self.source.iterdir()}


@pytest.fixture(params=PAIRS)
def move(server_factory, tmp_path, request):
    return Move(server_factory, tmp_path, request.param.split(" to "))


@pytest.fixture(params=PAIRS)
def large_move(server_factory, tmp_path, request):
    """With a file that S3 gets in parts."""
    return Move(server_factory, tmp_path, request.param.split(" to "), large=17 << 20)


@pytest.fixture(params=BLOB_STORES)
def simple(server_factory, tmp_path, request):
    """From disk to each kind of store."""
    return Move(server_factory, tmp_path, ("disk", request.param))


def test_contents_arrive_and_the_source_stays(large_move):
    move = large_move
    done = move.migrate()
    assert f"{FILES} contents copied" in done.stdout and f"{FILES} compared by SHA-256" in done.stdout, done.stdout
    assert f"set store.blobs = {move.there}" in done.stdout and "coffer front nginx" in done.stdout
    move.whole(move.here)
    move.whole(move.there)


def test_people_find_their_files_where_they_went(move):
    move.migrate()
    move.coffer.write_conf(store_blobs=move.there)
    move.coffer.start_coffer()
    move.coffer.start_nginx()
    ann = move.coffer.anon().login("ann")
    assert ok(ann.content("large")).content == (move.source / "large").read_bytes()
    ok(ann.put("new", b"after"), 201)
    assert ok(ann.content("new")).content == b"after"


def test_the_sum_is_json_for_programs(simple):
    sums = [json.loads(simple.migrate("--json").stdout) for _ in range(2)]
    size = sum(p.stat().st_size for p in simple.source.iterdir())
    same = {"lost": 0, "compared": FILES, "setting": "store.blobs", "value": simple.there}
    assert sums[0] == same | {"copied": FILES, "copied_bytes": size, "there": 0, "there_bytes": 0}
    assert sums[1] == same | {"copied": 0, "copied_bytes": 0, "there": FILES, "there_bytes": size}


@pytest.mark.parametrize("round_", range(2))
def test_a_killed_one_goes_on(move, round_):
    """Killed once some of it is there: what arrived is not sent again, and serve does not start with the half of it."""
    counter = arrivals(move)
    process = move.popen()
    assert wait_for(lambda: counter() > round_ * 4 or process.poll() is not None, step=0.001)
    process.send_signal(signal.SIGKILL)
    killed = process.wait() == -signal.SIGKILL
    if killed:
        move.coffer.write_conf(store_blobs=move.there)
        try:
            move.coffer.start_coffer()
            move.coffer.stop()
            return move.whole(move.there)  # it was killed after its last write
        except HarnessError as refused:
            assert "coffer migrate" in str(refused)
        move.coffer.write_conf(store_blobs=move.here)
    again = json.loads(move.migrate("--json").stdout)
    assert again["copied"] + again["there"] == again["compared"] == FILES
    assert again["there"] >= (1 if killed and round_ else 0)
    move.whole(move.there)


def arrivals(move):
    """How many contents are in the target by now: their files, or what the S3 server says of the last ones in order."""
    target = Blobs(move.there)
    return lambda: sum(map(target.has, move.blobs)) if target.disk else sum(map(target.has, move.blobs[::3])) * 3


def test_a_store_of_somebody_else_is_no_target(simple):
    target = Blobs(simple.there)
    target.mark("0" * 31 + "1")
    done = simple.migrate(check=False)
    assert done.returncode == 78 and "another installation" in done.stderr
    assert not any(map(target.has, simple.blobs))


def test_a_store_with_unknown_contents_is_no_target(simple):
    target = Blobs(simple.there)
    if target.disk:
        (target.disk / "ab").mkdir(parents=True)
    target.write("ab" + "1" * 30, b"who knows")
    done = simple.migrate(check=False)
    assert done.returncode == 78 and "not empty" in done.stderr
    assert not any(map(target.has, simple.blobs))


def test_a_store_of_somebody_else_is_no_source(simple):
    simple.here, simple.there = simple.there, simple.here
    Blobs(simple.here).mark("0" * 31 + "1")
    done = simple.migrate(check=False)
    assert done.returncode == 78 and "FROM does not hold the contents of this installation" in done.stderr


def test_lost_contents_are_told(simple):
    Blobs(simple.here).remove(simple.blobs[3])
    done = simple.migrate(check=False)
    assert done.returncode == 1 and f"left out: {simple.blobs[3]}" in done.stderr and "1 lost" in done.stdout


def test_contents_that_differ_are_found_and_the_target_is_not_used(simple):
    """As left there by an earlier run, of the right length and yet not the same."""
    process = simple.popen()
    assert process.wait(PATIENCE_S) == 0
    blob = next(b for b in simple.blobs if len(Blobs(simple.here).read(b)) == 1000)
    Blobs(simple.there).unmark()
    Blobs(simple.there).write(blob, b"x" * 1000)
    done = simple.migrate(check=False)
    assert done.returncode == 1 and "damaged" in done.stderr and blob in done.stderr
    simple.coffer.write_conf(store_blobs=simple.there)
    with pytest.raises(HarnessError, match="coffer migrate"):
        simple.coffer.start_coffer()


def test_not_while_coffer_runs(simple):
    simple.coffer.start_coffer()
    done = simple.migrate(check=False)
    assert done.returncode == 1 and "stop it first" in done.stderr
    simple.coffer.stop()
    with open(simple.coffer.data / "coffer.lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # as a command that is at work does
        assert "stop it first" in simple.migrate(check=False).stderr
    simple.migrate()


def test_nothing_starts_meanwhile(simple):
    with open(simple.coffer.data / "coffer.lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (["serve"], ["user", "list"], ["gc"]):
            done = simple.coffer.cli(*command, check=False)
            assert done.returncode == 1 and "wait until it is done" in done.stderr, command
    assert "ann" in simple.coffer.cli("user", "list").stdout


def test_the_settings_store_is_written_as_a_dash(simple):
    done = simple.coffer.cli("migrate", "--blobs", "-", simple.there)
    assert f"set store.blobs = {simple.there}" in done.stdout
    simple.coffer.write_conf(store_blobs=simple.there)
    done = simple.coffer.cli("migrate", "--blobs", simple.here, "-")
    assert "names them already" in done.stdout and f"{FILES} there already" in done.stdout


@pytest.mark.parametrize("arguments, status, word", [
    ([], 64, "usage"), (["--blobs"], 64, "usage"), (["--blobs", "-"], 64, "usage"), (["-", "disk:x"], 64, "usage"),
    (["--blobs", "-", "disk:x", "y"], 64, "usage"), (["--nothing", "-", "disk:x"], 64, "unknown option"),
    (["--blobs", "-", "-"], 1, "same store"), (["--blobs", "-", "ftp://x"], 78, "TO: store.blobs must be"),
    (["--blobs", "s3://X/", "-"], 78, "FROM: store.blobs has no valid bucket"),
])
def test_wrong_usage(coffer, arguments, status, word):
    done = coffer.cli("migrate", *arguments, check=False)
    assert done.returncode == status and word in done.stderr, done.stderr


def test_a_terminal_shows_how_far_it_is(simple):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(simple.coffer.binary, ["coffer", "migrate", "--blobs", simple.here, simple.there], simple.coffer.environment())
    text = b""
    try:
        while piece := os.read(terminal, 4096):
            text += piece
    except OSError:
        pass  # the terminal's other end is closed
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, text
    assert re.search(rb"\d+ contents  [\d.]+ [KM]?B  \d+ contents/s  [\d.]+ [KM]?B/s.*of %d" % FILES, text), text
