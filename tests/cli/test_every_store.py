"""What an administrator does, on every combination of stores that this machine has servers for."""
import json
import secrets
import signal

import pytest
from harness import PASSWORD, wait_for
from stores import BLOBS, METADATA, Blobs, installation, needs_mongodb, needs_s3, new_blobs, new_metadata

FILES = 8


@pytest.fixture(params=METADATA)
def metadata(request):
    return request.param


@pytest.fixture(params=BLOBS)
def blobs(request):
    return request.param


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    (folder / "below").mkdir(parents=True)
    for n in range(FILES):
        (folder / "below" / f"ä {n}").write_bytes(secrets.token_bytes(100 * n))
    return folder


@pytest.fixture
def coffer(server_factory, metadata, blobs, source):
    made = installation(server_factory, metadata, blobs, gc_grace="0")
    made.cli("import", str(source), "ann:/in")
    return made


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sound(coffer):
    done = coffer.fsck()
    assert done.returncode == 0, done.stdout + done.stderr


def empty(server_factory, metadata, blobs):
    """Settings for new stores, and nothing in them."""
    new = server_factory(start=False)
    new.run.mkdir(mode=0o750)
    new.write_conf(store_metadata=new_metadata(metadata, new.data), store_blobs=new_blobs(blobs, new.data))
    return new


def test_in_and_out(coffer, source, tmp_path):
    assert coffer.cli("import", str(source), "ann:/in").stdout.startswith("0 files")
    coffer.cli("export", "ann:/in", str(tmp_path / "copy"))
    assert tree(tmp_path / "copy") == tree(source)
    sound(coffer)


def test_what_nobody_needs_is_collected(coffer):
    coffer.cli("user", "add", "bob", stdin=PASSWORD + "\n")
    coffer.cli("user", "remove", "--files", "delete", "ann")
    coffer.cli("keeper", "--once")
    coffer.cli("gc")
    assert json.loads(coffer.cli("gc", "--json").stdout) == {"removed": 0, "set_aside": 0}
    assert coffer.cli("user", "list").stdout.count("\n") == 1
    sound(coffer)


def test_lost_and_changed_contents_are_found(coffer, tmp_path):
    coffer.cli("backup", str(tmp_path / "b"))
    ids = sorted(path.name for path in (tmp_path / "b" / "blobs").rglob("*") if len(path.name) == 32 and path.stat().st_size >= 100)
    stored = Blobs(coffer.settings["store.blobs"])
    stored.write(ids[0], b"x" * len(stored.read(ids[0])))
    stored.remove(ids[1])
    done = coffer.fsck()
    assert done.returncode == 2 and f"bytes of blob {ids[0]} have changed" in done.stdout and f"blob {ids[1]}: its bytes are missing" in done.stdout
    done = coffer.cli("backup", str(tmp_path / "another"), check=False)
    assert done.returncode == 1 and f"left out: {ids[1]}" in done.stderr and "1 lost" in done.stdout


@pytest.mark.parametrize("into", ["sqlite+disk", pytest.param("mongodb+disk", marks=needs_mongodb), pytest.param("sqlite+s3", marks=needs_s3)])
def test_a_backup_comes_back_into_any_stores(coffer, into, source, server_factory, tmp_path):
    backup = tmp_path / "b"
    assert f"{FILES} contents copied" in coffer.cli("backup", str(backup)).stdout
    (source / "new").write_text("new")
    coffer.cli("import", str(source), "ann:/in")
    assert f"1 contents copied (3 B), {FILES} there already" in coffer.cli("backup", str(backup)).stdout
    assert sorted(path.name for path in backup.iterdir() if path.is_file()) == ["backup.json", "coffer.conf", "coffer.db"]
    assert not list((backup / "incoming").iterdir())
    new = empty(server_factory, into.split("+")[0], into.split("+")[1])
    new.cli("restore", str(backup))
    sound(new)
    new.cli("export", "ann:/in", str(tmp_path / "copy"))
    assert tree(tmp_path / "copy") == tree(source)
    done = new.cli("restore", str(backup), check=False)
    assert done.returncode == 1 and "estore into" in done.stderr and "mpty" in done.stderr
    sound(new)


def test_a_restore_into_the_stores_of_somebody_else_is_refused(coffer, server_factory, metadata, blobs, tmp_path):
    coffer.cli("backup", str(tmp_path / "b"))
    other = installation(server_factory, metadata, blobs)
    done = other.cli("restore", str(tmp_path / "b"), check=False)
    assert done.returncode in (1, 78) and ("another installation" in done.stderr or "empty" in done.stderr)
    assert "ann" in other.cli("user", "list").stdout
    sound(other)


def test_a_killed_restore_is_begun_again(coffer, server_factory, metadata, blobs, source, tmp_path):
    """What stands there half is no store: serve makes nothing of it, and the same command ends it."""
    coffer.cli("backup", str(tmp_path / "b"))
    new = empty(server_factory, metadata, blobs)
    process = new.begin("restore", tmp_path / "b")
    mark = Blobs(new.settings["store.blobs"])
    wait_for(lambda: mark.marked() or process.poll() is not None, step=0.001)
    process.send_signal(signal.SIGKILL)
    if process.wait() == -signal.SIGKILL:
        new.cli("restore", str(tmp_path / "b"))
    sound(new)
    new.cli("export", "ann:/in", str(tmp_path / "copy"))
    assert tree(tmp_path / "copy") == tree(source)
