"""An import, a backup and uploads at once, again and again: each backup is whole, and so is the installation afterwards."""
import secrets
import subprocess
import threading

import pytest
from harness import ALL, Installation, ok

ROUNDS = 1000 if ALL else 12
FILES = 20
PEOPLE = 4
PAUSE_S = 0.02  # between two writes of one: backups are to meet writes, not to wait for a processor


@pytest.fixture
def coffer():
    with Installation({"gc.grace": "0"}, name="import-backup") as installation:
        yield installation.start()


def write_and_delete(person, number, stop, wrong):
    """A few names over and over: what is replaced and deleted waits for nothing but the backup's lease."""
    n = 0
    while not stop.wait(PAUSE_S):
        answer = person.put(f"{n % 10}", f"{number} {n} ".encode() * 300)
        if answer.status_code not in (200, 201):
            wrong.append(answer.text)
        if n % 5 == 0 and person.delete(f"/api/v1/content/{n % 10}").status_code != 204:
            wrong.append(f"delete {n % 10}")
        n += 1


def run(coffer, *arguments):
    return subprocess.Popen([coffer.binary, *map(str, arguments)], env=coffer.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True)


def test_import_during_backup_during_uploads(coffer, tmp_path):
    people = [coffer.person() for _ in range(PEOPLE)]
    source, stop, wrong = tmp_path / "source", threading.Event(), []
    source.mkdir()
    workers = [threading.Thread(target=write_and_delete, args=(person, n, stop, wrong)) for n, person in enumerate(people)]
    for worker in workers:
        worker.start()
    try:
        for n in range(ROUNDS):
            for name in range(FILES):  # other contents each time: the import replaces them while they are being copied
                (source / str(name)).write_bytes(secrets.token_bytes(100 + n % 7))
            at_once = [run(coffer, "import", "--replace", source, f"{people[0].name}:/in"), run(coffer, "backup", tmp_path / "b")]
            for process in at_once:
                said, _ = process.communicate(timeout=300)
                assert process.returncode == 0, (n, said)
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert not wrong, wrong[0]
    folder = next(item for item in people[0].all() if item["name"] == "in")
    assert {item["name"]: ok(people[0].content(f"in/{item['name']}")).content for item in people[0].all(folder["id"])} == {
        path.name: path.read_bytes() for path in source.iterdir()}
    coffer.cli("gc")
    done = coffer.fsck()
    assert done.returncode == 0, done.stdout + done.stderr
