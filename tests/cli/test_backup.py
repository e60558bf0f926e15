"""`coffer backup` and `coffer restore`: what was acknowledged before the backup comes back, whole."""
import json
import os
import secrets
import shutil
import signal
import threading

import pytest
from harness import ok, sqlite_rows, wait_for


@pytest.fixture
def served(server_factory):
    return server_factory()


def restored(server_factory, folder):
    """A new installation with that backup in it, its commands ready, not yet serving."""
    new = server_factory(start=False)
    new.write_conf()
    new.run.mkdir(mode=0o750)
    new.data.mkdir(mode=0o700)
    new.cli("restore", str(folder))
    done = new.fsck()
    assert done.returncode == 0, done.stdout + done.stderr
    return new


def test_everything_comes_back(served, server_factory, tmp_path):
    alice = served.person()
    folder = alice.folder("papers")
    contents = {f"file {n}": secrets.token_bytes(n * 1000) for n in range(40)}
    for name, data in contents.items():
        alice.file(name, data, folder["id"])
    done = served.cli("backup", str(tmp_path / "backup"))
    assert "40 contents copied" in done.stdout and "0 lost" in done.stdout
    summary = json.loads((tmp_path / "backup" / "backup.json").read_text())
    assert (summary["format"], summary["blobs"]) == (1, 40)

    new = restored(server_factory, tmp_path / "backup")
    new.start_coffer()
    new.start_nginx()
    again = new.anon().login(alice.name)
    assert {name: ok(again.content(f"papers/{name}")).content for name in contents} == contents
    assert again.me()["used"] == alice.me()["used"]


@pytest.mark.sqlite("looks into the database or the folder of blobs")
def test_sessions_and_reservations_do_not_come_back(served, server_factory, tmp_path):
    alice = served.person()
    alice.file("a")
    served.cli("backup", str(tmp_path / "backup"))
    rows = sqlite_rows(tmp_path / "backup" / "coffer.db", "SELECT (SELECT count(*) FROM session), (SELECT count(*) FROM upload), (SELECT sum(reserved) FROM space)")
    assert rows == [(0, 0, 0)]
    assert ok(alice.get("/api/v1/me"))


def test_a_second_backup_copies_only_what_is_new(served, tmp_path):
    alice = served.person()
    for n in range(10):
        alice.file(f"{n}", secrets.token_bytes(500))
    served.cli("backup", str(tmp_path / "b"))
    ok(alice.delete("/api/v1/content/3"), 204)
    alice.file("new", b"new")
    done = served.cli("backup", str(tmp_path / "b"))
    assert "1 contents copied" in done.stdout and "9 there already" in done.stdout
    assert len([p for p in (tmp_path / "b" / "blobs").rglob("*") if len(p.name) == 32]) == 10, "what only the first needed is gone"


@pytest.mark.sqlite("looks into the database or the folder of blobs")
def test_links_cost_no_room(served):
    alice = served.person()
    alice.file("a", b"x" * 5000)
    served.cli("backup", "--link", str(served.dir / "b"))
    assert served.blobs()[0].stat().st_nlink == 2


def test_under_load_whole_files_come_back(served, server_factory, tmp_path):
    """People write and delete all the while, and nothing waits for collection; still the backup is whole."""
    served.stop()
    served.write_conf(gc_grace="0")
    served.start_coffer()
    served.start_nginx()
    people = [served.person() for _ in range(3)]
    stop = threading.Event()
    wrong = []

    def work(person, number):
        n = 0
        while not stop.is_set():
            answer = person.put(f"{n % 20}", f"{number} {n} ".encode() * 500)
            if answer.status_code not in (200, 201):
                wrong.append(answer.text)
            if n % 7 == 0:
                person.delete(f"/api/v1/content/{n % 20}")
            n += 1
    workers = [threading.Thread(target=work, args=(person, n)) for n, person in enumerate(people)]
    for worker in workers:
        worker.start()
    try:
        for n in range(4):
            done = served.cli("backup", str(tmp_path / "b"), check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            served.cli("gc")
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert not wrong, wrong[0]
    restored(server_factory, tmp_path / "b")
    assert served.fsck().returncode == 0


@pytest.mark.parametrize("at", [0, 150, 300])
def test_a_killed_backup_goes_on(coffer, server_factory, tmp_path, at):
    source = tmp_path / "source"
    source.mkdir()
    for n in range(600):
        (source / str(n)).write_bytes(secrets.token_bytes(300))
    coffer.cli("import", str(source), "ann:/")
    process = coffer.begin("backup", tmp_path / "b")

    def copied():
        return sum(len(files) for _, _, files in os.walk(tmp_path / "b" / "blobs"))
    wait_for(lambda: copied() > at or process.poll() is not None, step=0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    coffer.cli("backup", str(tmp_path / "b"))
    restored(server_factory, tmp_path / "b")


@pytest.mark.sqlite("looks into the database or the folder of blobs")
def test_lost_contents_are_told(coffer, tmp_path):
    (tmp_path / "source").mkdir()
    for n in range(3):
        (tmp_path / "source" / str(n)).write_text(str(n))
    coffer.cli("import", str(tmp_path / "source"), "ann:/")
    lost = coffer.blobs()[1]
    lost.unlink()
    done = coffer.cli("backup", str(tmp_path / "b"), check=False)
    assert done.returncode == 1 and f"left out: {lost.name}" in done.stderr and "1 lost" in done.stdout


@pytest.mark.parametrize("what, word", [("full", "neither empty"), ("inside", "data folder"), ("foreign", "another installation")])
def test_a_folder_that_is_no_backup_is_left_alone(coffer, server_factory, tmp_path, what, word):
    folder = coffer.data / "b" if what == "inside" else tmp_path / "b"
    if what == "full":
        folder.mkdir()
        (folder / "mine").write_text("x")
    if what == "foreign":
        other = server_factory(start=False)
        other.write_conf()
        other.run.mkdir(mode=0o750)
        other.data.mkdir(mode=0o700)
        other.start_coffer()
        other.stop()
        other.cli("backup", str(folder))
    before = sorted(p.name for p in folder.rglob("*")) if folder.exists() else []
    done = coffer.cli("backup", str(folder), check=False)
    assert done.returncode != 0 and word in done.stderr
    assert sorted(p.name for p in folder.rglob("*")) == before


@pytest.mark.sqlite("looks into the database or the folder of blobs")
def test_restore_wants_an_empty_data_folder(coffer, tmp_path):
    coffer.cli("backup", str(tmp_path / "b"))
    done = coffer.cli("restore", str(tmp_path / "b"), check=False)
    assert done.returncode == 1 and "empty" in done.stderr
    shutil.rmtree(coffer.data)
    coffer.data.mkdir(mode=0o700)
    coffer.cli("restore", str(tmp_path / "b"))
    assert coffer.fsck().returncode == 0


@pytest.mark.sqlite("looks into the database or the folder of blobs")
def test_a_journal_left_behind_never_meets_another_database(coffer, tmp_path):
    """The log of a database that is gone would be played into the one that takes its name."""
    coffer.cli("backup", str(tmp_path / "b"))
    (tmp_path / "b" / "coffer.db.new-wal").write_bytes(b"x" * 5000)
    (tmp_path / "b" / "coffer.db.new-journal").write_bytes(b"x" * 5000)
    coffer.cli("backup", str(tmp_path / "b"))
    assert sorted(p.name for p in (tmp_path / "b").iterdir() if p.is_file()) == ["backup.json", "coffer.conf", "coffer.db"]
    shutil.rmtree(coffer.data)
    coffer.data.mkdir(mode=0o700)
    (coffer.data / "coffer.db-wal").write_bytes(b"x" * 5000)
    assert "its journal" in coffer.cli("restore", str(tmp_path / "b"), check=False).stderr
    (coffer.data / "coffer.db-wal").unlink()
    (tmp_path / "b" / "coffer.db-wal").write_bytes(b"x" * 5000)
    for command in ("restore", "backup"):
        assert coffer.cli(command, str(tmp_path / "b"), check=False).returncode != 0


@pytest.mark.sqlite("looks into the database or the folder of blobs")
def test_restore_wants_a_whole_backup(coffer, tmp_path):
    coffer.cli("backup", str(tmp_path / "b"))
    (tmp_path / "b" / "backup.json").unlink()
    shutil.rmtree(coffer.data)
    coffer.data.mkdir(mode=0o700)
    done = coffer.cli("restore", str(tmp_path / "b"), check=False)
    assert done.returncode == 1 and "no complete backup" in done.stderr and not (coffer.data / "coffer.db").exists()


@pytest.mark.parametrize("command", ["backup", "restore"])
@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["--nothing", "a"]])
def test_wrong_usage(coffer, command, arguments):
    assert coffer.cli(command, *arguments, check=False).returncode == 64
