"""What every row of ../../bench needs: programs, clients, noise, taking turns."""
import multiprocessing
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

MIB = 1 << 20


class Trouble(Exception):
    """Something that the figures need is missing or went wrong."""


def program(name, *places):
    for place in (*places, shutil.which(name), f"/usr/sbin/{name}"):
        if place and os.access(place, os.X_OK) and not Path(place).is_dir():
            return str(place)
    return None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise Trouble(f"{' '.join(map(str, command[:4]))} ...: exit {done.returncode}\n{done.stdout[-500:]}{done.stderr[-2000:]}")
    return done.stdout


def wait_for(check, what, seconds=20):
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            raise Trouble(f"{what} does not answer")
        time.sleep(0.05)


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except OSError:
        return False


def need_wrk():
    if not program("wrk"):
        raise Trouble("wrk is missing (apt-get install wrk)")


# ---------------------------------------------------------------- measuring
def curl(url, *options, cookie=None):
    """Seconds of one transfer; anything but a 2xx is trouble."""
    more = ["-b", cookie] if cookie else []
    out = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{time_total}", *more, *options, url)
    status, seconds = out.split()
    if not status.startswith("2"):
        raise Trouble(f"{url}: {status}")
    return float(seconds)


def wrk(url, seconds, script=None, prefix=None, cookie=None, clients=16):
    """Requests per second at 16 clients; a single answer that is no 2xx is trouble."""
    command = ["wrk", f"-t{min(2, clients)}", f"-c{clients}", f"-d{seconds}s", *(["-H", f"Cookie: {cookie}"] if cookie else []), *(["-s", script] if script else []), url]
    out = run(*command, *(["--", prefix] if prefix else []))
    if bad := re.search(r"Non-2xx or 3xx responses: (\d+)", out):
        raise Trouble(f"{url}: {bad[1]} answers were errors\n{out}")
    if bad := re.search(r"Socket errors: .*", out):
        print(f"  note: {url}: {bad[0]}", file=sys.stderr)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


PUT_SCRIPT = """
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
function init(args) n, prefix, body = 0, args[1], string.rep("0123456789", 1024) end
function request()
    n = n + 1
    return wrk.format("PUT", prefix .. "-" .. number .. "-" .. n .. ".txt", nil, body)
end
"""


def durable_writes(folder, number, seconds):
    """What the disk asks of one durable upload, and nothing else: flushes of 10 KB, of its name, and of nine pages of a log."""
    os.mkdir(shard := folder / f"{number:02}")
    body, pages, log, done = bytes(10 * 1024), bytes(9 * 4096), os.open(folder / "log", os.O_RDWR), 0
    where, end = os.open(shard, os.O_RDONLY), time.monotonic() + seconds
    while time.monotonic() < end:
        file = os.open(shard, os.O_TMPFILE | os.O_WRONLY, 0o600)
        os.write(file, body)
        os.fdatasync(file)
        os.link(f"/proc/self/fd/{file}", f"{done}", dst_dir_fd=where, follow_symlinks=True)
        os.fsync(where)
        os.pwrite(log, pages, done % 200 * len(pages))
        os.fdatasync(log)
        os.close(file)
        done += 1
    return done / seconds


def disk_alone(folder, seconds, clients=16):
    """Durable uploads per second that the disk would take if no program stood before it."""
    folder.mkdir()
    (folder / "log").write_bytes(bytes(8 * MIB))
    try:
        with multiprocessing.Pool(clients, signal.signal, (signal.SIGTERM, signal.SIG_DFL)) as pool:
            return sum(pool.starmap(durable_writes, [(folder, n, seconds) for n in range(clients)], chunksize=1))
    finally:
        shutil.rmtree(folder)


def noise(path, size):
    with open(path, "wb") as f:
        for _ in range(max(1, size // MIB)):
            f.write(os.urandom(min(MIB, size)))
    return path


def alternate(rounds, ours, theirs):
    """Both by turns, now one first, now the other, after a round that does not count; lists of figures."""
    figures = {ours: [], theirs: []}
    for n in range(rounds + 1):
        for measure in ((ours, theirs), (theirs, ours))[n % 2]:
            value = measure(n)
            if n > 0:
                figures[measure].append(value)
    return figures[ours], figures[theirs]
