"""Damage on the disk: never served as something else, and `coffer fsck` finds it (exit 0 clean, 1 repaired, 2 damaged)."""
import os
import shutil

import pytest
from harness import ok, problem, sqlite_rows, wait_for


@pytest.fixture
def coffer(server_factory):
    return server_factory()


@pytest.fixture
def alice(coffer):
    person = coffer.person()
    person.file("a", b"hello" * 100)
    return person


def test_a_sound_store_is_clean(coffer, alice):
    done = coffer.fsck()
    assert (done.returncode, done.stderr) == (0, "")


def test_contents_that_are_gone(coffer, alice):
    record = alice.list()["items"][0]
    coffer.blobs()[0].unlink()
    response = alice.get(f"/api/v1/files/{record['id']}")
    assert response.status_code == 500 and response.headers["content-type"].startswith("application/problem+json")
    problem(alice.get(f"/api/v1/files/{record['id']}", headers={"If-Match": "*"}), 500, "damaged")
    done = coffer.fsck()
    assert done.returncode == 2 and record["etag"].strip('"') in done.stdout + done.stderr


def test_a_changed_byte_is_found_by_the_deep_look(coffer, alice):
    assert wait_for(lambda: alice.list()["items"][0]["sha256"], step=0.3)
    blob = coffer.blobs()[0]
    blob.chmod(0o600)
    blob.write_bytes(b"jello" + b"hello" * 99)
    assert coffer.cli("fsck", check=False).returncode == 0
    done = coffer.fsck()
    assert done.returncode == 2 and blob.name in done.stdout + done.stderr


def test_a_shortened_file_is_found(coffer, alice):
    blob = coffer.blobs()[0]
    blob.chmod(0o600)
    blob.write_bytes(b"hello")
    assert coffer.cli("fsck", check=False).returncode == 2


@pytest.mark.parametrize("change", ["update space set used = used + 1000", "update space set reserved = 5000", "update blob set refs = refs + 3"])
def test_wrong_sums_are_repaired(coffer, alice, change):
    sqlite_rows(coffer.database(), change)
    assert coffer.fsck().returncode == 2
    assert coffer.fsck("--repair").returncode == 1
    assert coffer.fsck().returncode == 0
    assert alice.me()["used"] == 500


def test_a_file_without_a_record_is_no_damage(coffer, alice):
    stray = coffer.blobs()[0].parent / ("ab" * 16)
    stray.write_bytes(b"stray")
    os.utime(stray, (1, 1))
    done = coffer.fsck()
    assert done.returncode == 0 and stray.name in done.stdout + done.stderr
    coffer.cli("gc")
    assert not stray.exists() and list((coffer.data / "lost").rglob(stray.name + "*"))
    assert ok(alice.content("a")).content == b"hello" * 100


def test_too_many_files_without_a_record_are_left_alone(coffer, alice):
    folder = coffer.blobs()[0].parent
    for n in range(101):
        path = folder / f"{n:032x}"
        path.write_bytes(b"x")
        os.utime(path, (1, 1))
    done = coffer.cli("gc", check=False)
    assert done.returncode != 0 and "record" in done.stderr
    assert len(coffer.blobs()) == 102


def test_another_stores_blobs_are_refused(coffer, alice, server_factory):
    """Metadata of one installation, contents of another: refuses to start."""
    other = server_factory()
    coffer.stop()
    other.stop()
    shutil.rmtree(coffer.data / "blobs")
    shutil.copytree(other.data / "blobs", coffer.data / "blobs")
    done = coffer.cli("serve", check=False)
    assert done.returncode != 0 and "different installations" in done.stderr
