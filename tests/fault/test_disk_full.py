"""The disk is full: 507 that says so, the quota given back, and people can still delete and sign out."""
import errno
import os
import subprocess

import pytest
from harness import ok, problem, read_answer, sqlite_rows, wait_for

pytestmark = pytest.mark.alone("fills disks of memory")

SIZE = 128 << 20


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("DISK FULL IS NOT TESTED: mounting a small tmpfs needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def coffer(small_disk, server_factory):
    return server_factory(data=small_disk / "data")


def free(folder):
    s = os.statvfs(folder)
    return s.f_bavail * s.f_frsize


def fill(folder, leave=0):
    """Take what is free but `leave` bytes; gives the file to remove."""
    path = folder / "filler"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while free(folder) > leave:
            os.write(fd, b"\0" * min(1 << 20, max(4096, free(folder) - leave)))
    except OSError as e:
        assert e.errno == errno.ENOSPC
    finally:
        os.close(fd)
    return path


def reserved(coffer):
    return sqlite_rows(coffer.database(), "select sum(reserved) from space")[0][0]


@pytest.mark.parametrize("way", ["put", "chunked", "form"])
def test_what_does_not_fit_is_refused(coffer, way):
    alice = coffer.person()
    data = b"x" * SIZE
    response = alice.upload(("a", data)) if way == "form" else alice.put("a", iter([data]) if way == "chunked" else data)
    problem(response, 507, "disk-full")
    assert alice.names() == [] and alice.me()["used"] == 0
    assert wait_for(lambda: reserved(coffer) == 0 and coffer.incoming() == [])


def test_the_reserve_is_never_given_to_uploads(coffer, small_disk):
    alice = coffer.person()
    kept = []
    for n in range(60):
        response = alice.put(f"f{n}", b"x" * 4_000_000)
        if response.status_code != 201:
            break
        kept.append(response.json())
    problem(response, 507, "disk-full")
    assert len(kept) > 20 and free(small_disk) > SIZE // 100
    for record in kept:
        ok(alice.delete(f"/api/v1/files/{record['id']}"), 204)
    ok(alice.post("/api/v1/logout"), 204)


@pytest.mark.parametrize("size", [50_000, 1_000_000])
def test_full_to_the_last_block(coffer, small_disk, size):
    alice = coffer.person()
    record = alice.file("old", b"o" * 100_000)
    filler = fill(small_disk)
    response = alice.put("new", b"x" * size)
    problem(response, 507, "disk-full")
    assert ok(alice.content("old")).content == b"o" * 100_000
    filler.unlink()
    assert alice.names() == ["old"] and alice.me()["used"] == 100_000 and reserved(coffer) == 0
    ok(alice.delete(f"/api/v1/files/{record['id']}"), 204)
    ok(alice.put("new", b"x" * size), 201)
    assert coffer.fsck().returncode == 0


def test_delete_and_logout_on_a_disk_that_others_filled(coffer, small_disk):
    alice = coffer.person()
    record = alice.file("old", b"o" * 3_000_000)
    fill(small_disk, leave=1 << 20)
    ok(alice.delete(f"/api/v1/files/{record['id']}"), 204)
    ok(alice.post("/api/v1/logout"), 204)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_the_disk_fills_while_the_bytes_come(coffer, small_disk, chunked):
    alice = coffer.person()
    size = 20_000_000
    head = coffer.request_text("PUT", "/api/v1/content/a", "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}", cookie=alice.cookie)
    half = b"x" * (size // 2)
    frame = (lambda data: b"%x\r\n%s\r\n" % (len(data), data)) if chunked else (lambda data: data)
    filler = []

    def pieces():
        yield head + frame(half)
        assert wait_for(lambda: any(p.stat().st_size > size // 4 for p in coffer.incoming()))
        filler.append(fill(small_disk))
        yield frame(half) + (b"0\r\n\r\n" if chunked else b"")
    with coffer.connect() as s:
        try:
            for piece in pieces():
                s.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = read_answer(s)
    filler[0].unlink()
    problem(answer, 507, "disk-full")
    assert wait_for(lambda: (reserved(coffer), coffer.incoming()) == (0, [])), (reserved(coffer), coffer.incoming())
    assert alice.names() == [] and alice.me()["used"] == 0
    ok(alice.put("a", b"x" * 300_000), 201)
