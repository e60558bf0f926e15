"""`coffer import` and `coffer export`: whole trees in and out, compared byte by byte, name by name, time by time."""
import os
import pty
import re
import signal
import socket
import subprocess
import time
import unicodedata
from pathlib import Path

import pytest
from harness import ALL, ok, sqlite_rows, wait_for


def tree(folder):
    """{path: (kind, bytes, time in ms)} of everything below it."""
    found = {}
    for root, folders, files in os.walk(folder):
        for name in folders + files:
            path = Path(root, name)
            st = path.lstat()
            kind = "folder" if path.is_dir() else "file"
            found[str(path.relative_to(folder))] = (kind, path.read_bytes() if kind == "file" else b"", st.st_mtime_ns // 1000000)
    return found


def make_tree(folder, files, folders):
    """So many files of 0 to 20 KB in so many folders, three levels deep, each with a time of its own."""
    at = 1_600_000_000
    for n in range(folders):
        below = folder / f"{n % 10}" / f"{n // 10 % 100:02}" / f"folder {n}"
        below.mkdir(parents=True)
        for m in range(n * files // folders, (n + 1) * files // folders):
            path = below / f"file {m}.bin"
            path.write_bytes(b"%d " % m * (m % 40 * 80))
            at += 61
            os.utime(path, (at, at + 0.25))
    for root, _, _ in os.walk(folder, topdown=False):
        os.utime(root, (1_500_000_000, 1_500_000_000))


def run(coffer, *arguments):
    """The command and its largest size in memory, in KiB."""
    process = subprocess.Popen([coffer.binary, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=coffer.environment(), cwd=coffer.dir)
    peak = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = max([peak] + [int(kib) for kib in re.findall(r"VmHWM:\s+(\d+)", status)])
        except OSError:
            pass
        time.sleep(0.01)
    out, errors = process.communicate()
    return process.returncode, out, errors, peak


def count_left_out(errors):
    return len([line for line in errors.splitlines() if line.startswith("left out: ")])


@pytest.mark.plain("sanitizers keep what is freed: what a program needs of memory is not to be seen")
def test_a_tree_goes_in_and_comes_out_the_same(coffer, tmp_path):
    files, folders = (100_000, 10_000) if ALL else (2_000, 200)
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.mkdir()
    make_tree(source, files, folders)
    (source / "empty folder").mkdir()
    (source / "größe ☕ 文件.txt").write_bytes("inhalt".encode())

    status, out, errors, peak = run(coffer, "import", str(source), "ann:/from/disk")
    assert (status, errors) == (0, ""), out + errors
    assert out.startswith(f"{files + 1} files")
    assert peak < 80_000, "memory is not flat"

    status, out, errors, peak = run(coffer, "export", "ann:/from/disk", str(copy))
    assert (status, errors) == (0, ""), out + errors
    assert peak < 80_000, "memory is not flat"
    assert tree(copy) == tree(source)
    assert coffer.fsck().returncode == 0

    again = coffer.cli("import", str(source), "ann:/from/disk")
    assert again.stdout.startswith("0 files") and f"{files + 1} files were there already" in again.stdout
    again = coffer.cli("export", "ann:/from/disk", str(copy))
    assert again.stdout.startswith("0 files") and f"{files + 1} files were there already" in again.stdout


def test_what_cannot_be_kept_is_told_line_by_line(coffer, tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    (source / "kept").write_text("kept")
    (source / "link").symlink_to("kept")
    (source / "dangling").symlink_to("nowhere")
    os.mkfifo(source / "pipe")
    with socket.socket(socket.AF_UNIX) as s:
        monkeypatch.chdir(source)  # the path of a socket is short
        s.bind("socket")
    (source / "back\\slash").write_text("x")
    (source / "line\nfeed").write_text("x")
    Path(os.fsdecode(os.fsencode(source) + b"/latin\xe9")).write_text("x")
    (source / unicodedata.normalize("NFD", "é.txt")).write_text("decomposed")
    (source / "é.txt").write_text("composed")
    (source / "Case.txt").write_text("upper")
    (source / "case.txt").write_text("lower")
    done = coffer.cli("import", str(source), "ann:/", check=False)
    assert done.returncode == 1
    left = sorted(line.split(": ")[1] for line in done.stderr.splitlines() if line.startswith("left out: "))
    composed = [name for name in left if "txt" in name]
    assert len(composed) == 1
    assert sorted(set(left) - set(composed)) == ["back\\slash", "dangling", "latin\\xe9", "line\\x0afeed", "link", "pipe", "socket"]
    assert "8 left out, 1 notes" in done.stdout
    assert "upper and lower case" in done.stderr

    copy = tmp_path / "copy"
    coffer.cli("export", "ann:/", str(copy))
    assert sorted(tree(copy)) == ["Case.txt", "case.txt", "kept", "é.txt"]


def test_what_cannot_be_read_is_told(coffer):
    """As root as well: the command becomes the owner of the data folder, who is somebody else here."""
    source = coffer.dir / "source"
    (source / "shut").mkdir(parents=True)
    (source / "secret").write_text("x")
    (source / "open").write_text("x")
    (source / "secret").chmod(0)
    (source / "shut").chmod(0)
    if os.geteuid() == 0:
        coffer.dir.chmod(0o755)
        coffer.conf.chmod(0o644)
        for path in [coffer.data, coffer.run, *coffer.data.rglob("*")]:
            os.chown(path, 65432, 65432)
    done = coffer.cli("import", str(source), "ann:/", check=False)
    (source / "shut").chmod(0o700)
    assert done.returncode == 1 and count_left_out(done.stderr) == 2 and done.stdout.startswith("1 files"), done.stdout + done.stderr


def test_what_is_there_is_never_overwritten_unasked(coffer, tmp_path):
    source, copy = tmp_path / "source", tmp_path / "copy"
    (source / "b").mkdir(parents=True)
    (source / "a").write_text("first")
    coffer.cli("import", str(source), "ann:/")
    coffer.cli("export", "ann:/", str(copy))
    (source / "a").write_text("second")
    (source / "b").rmdir()
    (source / "b").write_text("a file now")
    done = coffer.cli("import", str(source), "ann:/", check=False)
    assert done.returncode == 1 and count_left_out(done.stderr) == 2
    done = coffer.cli("import", "--replace", str(source), "ann:/", check=False)
    assert done.returncode == 1 and count_left_out(done.stderr) == 1
    done = coffer.cli("export", "ann:/", str(copy), check=False)
    assert done.returncode == 1 and count_left_out(done.stderr) == 1 and (copy / "a").read_text() == "first"
    coffer.cli("export", "--replace", "ann:/", str(copy))
    assert (copy / "a").read_text() == "second"
    assert coffer.fsck().returncode == 0


def test_one_file_alone_is_exported(coffer, tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a").write_text("one")
    coffer.cli("import", "--copy", str(tmp_path / "source"), "ann:/x")
    coffer.cli("export", "ann:/x/a", str(tmp_path / "copy"))
    assert (tmp_path / "copy" / "a").read_text() == "one"


def test_links_share_the_bytes(coffer, tmp_path):
    source = coffer.dir / "source"
    source.mkdir()
    for n in range(300):
        (source / str(n)).write_bytes(os.urandom(1000))
    done = coffer.cli("import", "--link", str(source), "ann:/")
    assert "do not write to the originals" in done.stderr
    assert all(path.stat().st_nlink == 2 for path in source.iterdir())
    assert coffer.fsck().returncode == 0


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no second file system")
def test_what_cannot_be_linked_is_copied_and_counted(coffer):
    import tempfile
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        Path(other, "a").write_text("far")
        done = coffer.cli("import", "--link", other, "ann:/")
    assert "1 of the files could not be linked" in done.stdout


@pytest.mark.sqlite("looks into the database or the folder of blobs")
def test_the_quota_ends_an_import_and_a_larger_one_lets_it_go_on(coffer, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for n in range(10):
        (source / str(n)).write_bytes(b"x" * 1000)
    sqlite_rows(coffer.database(), "UPDATE space SET quota = 5500")
    done = coffer.cli("import", str(source), "ann:/", check=False)
    assert done.returncode == 1 and "quota" in done.stderr and done.stdout.startswith("5 files")
    sqlite_rows(coffer.database(), "UPDATE space SET quota = 0")
    done = coffer.cli("import", str(source), "ann:/")
    assert done.stdout.startswith("5 files") and "5 files were there already" in done.stdout
    assert coffer.fsck().returncode == 0


@pytest.mark.sqlite("looks into the database or the folder of blobs")
@pytest.mark.parametrize("round_", range(10 if ALL else 3))
def test_a_killed_import_goes_on(coffer, tmp_path, round_):
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.mkdir()
    make_tree(source, 2000, 20)
    process = coffer.begin("import", source, "ann:/")
    assert wait_for(lambda: len(coffer.blobs()) > 200 + round_ * 400 or process.poll() is not None, step=0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert coffer.fsck().returncode == 0
    coffer.cli("import", str(source), "ann:/")
    export = coffer.begin("export", "ann:/", copy)
    assert wait_for(lambda: sum(len(files) for _, _, files in os.walk(copy)) > 300 or export.poll() is not None, step=0.005)
    export.send_signal(signal.SIGKILL)
    export.wait()
    coffer.cli("export", "ann:/", str(copy))
    assert tree(copy) == tree(source)


def test_while_people_work(server_factory, tmp_path):
    coffer = server_factory()
    alice = coffer.person()
    source = tmp_path / "source"
    source.mkdir()
    make_tree(source, 2000, 20)
    process = coffer.begin("import", source, f"{alice.name}:/in")
    n = 0
    while process.poll() is None:
        ok(alice.put(f"mine {n}", b"y" * 100), 201)
        n += 1
    assert process.returncode == 0 and n > 0
    assert len(alice.all()) == n + 1
    assert coffer.fsck().returncode == 0


@pytest.mark.parametrize("arguments", [[], ["x"], ["x", "y", "z"], ["--nothing", "x", "ann:/"], ["--link", "--copy", "x", "ann:/"]])
def test_wrong_usage(coffer, arguments):
    assert coffer.cli("import", *arguments, check=False).returncode == 64


@pytest.mark.parametrize("target, word", [("ann", "NAME:/folder"), ("ann:x", "slash"), ("nobody:/", "account"), ("ann:/a/../b", "bad-name")])
def test_wrong_targets(coffer, tmp_path, target, word):
    done = coffer.cli("import", str(tmp_path), target, check=False)
    assert done.returncode == 1 and word in done.stderr


def test_coffers_own_files_are_not_imported(coffer):
    done = coffer.cli("import", str(coffer.data), "ann:/", check=False)
    assert done.returncode == 1 and "own files" in done.stderr
    done = coffer.cli("import", str(coffer.dir), "ann:/", check=False)
    assert done.returncode == 1 and "left out: data: the folder and all below it" in done.stderr


def test_a_terminal_shows_how_far_it_is(coffer, tmp_path):
    make_tree(tmp_path / "source", 1500, 15)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(coffer.binary, ["coffer", "import", str(tmp_path / "source"), "ann:/"], coffer.environment())
    text = b""
    try:
        while piece := os.read(terminal, 4096):
            text += piece
    except OSError:
        pass  # the terminal's other end is closed
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert re.search(rb"\d+ files  [\d.]+ [KM]?B  \d+ files/s  [\d.]+ [KM]?B/s.*of 1500", text), text
