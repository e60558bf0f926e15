"""The rows of ../../bench on SQLite and a disk: one function each."""
import os
import re
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path

from servers import Coffer, Nginx
from tools import MIB, PUT_SCRIPT, Trouble, alternate, curl, disk_alone, need_wrk, noise, run, wrk

MEMORY = Path("/dev/shm")


class Bench:
    def __init__(self, options):
        self.options, self.size = options, options.size * MIB
        self.work = Path(tempfile.mkdtemp(prefix="coffer-bench-", dir=options.dir))
        self.memory = Path(tempfile.mkdtemp(prefix="coffer-bench-", dir=MEMORY)) if MEMORY.is_dir() else None
        self.servers = {}

    def close(self):
        for server in self.servers.values():
            server.stop()
        for folder in filter(None, (self.work, self.memory)):
            shutil.rmtree(folder, ignore_errors=True)

    def server(self, kind, where):
        """One of a kind and folder, started when first asked for."""
        if (kind, where) not in self.servers:
            self.servers[kind, where] = kind(where / kind.__name__.lower())
        return self.servers[kind, where]

    def stop(self, kind, where):
        if server := self.servers.pop((kind, where), None):
            server.stop()

    def source(self):
        """The file that goes up: in memory, so that no disk is read on the way."""
        path = (self.memory or self.work) / "source"
        return path if path.exists() else noise(path, self.size)

    def rate(self, seconds):
        return self.size / 1e6 / seconds

    def compare(self, ours, theirs):
        a, b = alternate(self.options.rounds, ours, theirs)
        return {"ours": statistics.median(a), "theirs": statistics.median(b), "ratio": statistics.median(a) / statistics.median(b), "all": [a, b]}

    # ---- one function per row
    def get(self):
        coffer, nginx = self.server(Coffer, self.work), self.server(Nginx, self.work)
        curl(f"{coffer.url}/api/v1/content/large", "-T", self.source(), cookie=coffer.cookie)
        shutil.copy(self.source(), nginx.dir / "root" / "large")
        os.sync()
        result = self.compare(lambda n: self.rate(curl(f"{coffer.url}/api/v1/content/large", cookie=coffer.cookie)),
                              lambda n: self.rate(curl(f"{nginx.url}/large")))
        (nginx.dir / "root" / "large").unlink()
        return result

    def put_memory(self):
        if not self.memory:
            raise Trouble("/dev/shm is missing")
        coffer, nginx = self.server(Coffer, self.memory), self.server(Nginx, self.memory)

        def ours(n):
            seconds = curl(f"{coffer.url}/api/v1/content/large", "-T", self.source(), cookie=coffer.cookie)
            curl(f"{coffer.url}/api/v1/content/large", "-X", "DELETE", cookie=coffer.cookie)
            coffer.cli("gc")
            return self.rate(seconds)

        def theirs(n):
            seconds = curl(f"{nginx.url}/large", "-T", self.source())
            (nginx.dir / "root" / "large").unlink()
            return self.rate(seconds)
        result = self.compare(ours, theirs)
        self.stop(Coffer, self.memory)
        return result

    def put_disk(self):
        coffer, copy = self.server(Coffer, self.work), self.work / "copy"

        def ours(n):
            os.sync()
            seconds = curl(f"{coffer.url}/api/v1/content/large", "-T", self.source(), cookie=coffer.cookie)
            curl(f"{coffer.url}/api/v1/content/large", "-X", "DELETE", cookie=coffer.cookie)
            coffer.cli("gc")
            return self.rate(seconds)

        def theirs(n):
            os.sync()
            began = time.monotonic()
            run("dd", f"if={self.source()}", f"of={copy}", "bs=1M", "conv=fsync")
            seconds = time.monotonic() - began
            copy.unlink()
            return self.rate(seconds)
        return self.compare(ours, theirs)

    def small(self, size):
        """A small file in both, for GET; gives their addresses."""
        need_wrk()
        coffer, nginx = self.server(Coffer, self.work), self.server(Nginx, self.work)
        path = noise(self.work / f"small-{size}", size)
        os.truncate(path, size)
        curl(f"{coffer.url}/api/v1/content/{path.name}", "-T", path, cookie=coffer.cookie)
        shutil.copy(path, nginx.dir / "root")
        return coffer, f"{coffer.url}/api/v1/content/{path.name}", f"{nginx.url}/{path.name}"

    def get_small(self, size):
        coffer, ours, theirs = self.small(size)
        return self.compare(lambda n: wrk(ours, self.options.seconds, cookie=coffer.cookie), lambda n: wrk(theirs, self.options.seconds))

    def get_10k(self):
        return self.get_small(10 * 1024)

    def get_100k(self):
        return self.get_small(100 * 1024)

    def put_10k(self):
        need_wrk()
        coffer, nginx = self.server(Coffer, self.work), self.server(Nginx, self.work)
        script = self.work / "put.lua"
        script.write_text(PUT_SCRIPT)
        result = self.compare(lambda n: wrk(coffer.url, self.options.seconds, script, f"/api/v1/content/r{n}", coffer.cookie),
                              lambda n: wrk(nginx.url, self.options.seconds, script, f"/r{n}"))
        client = wrk(nginx.url, self.options.seconds, script, "/nothing")
        disk = statistics.median(disk_alone(self.work / f"disk-{n}", self.options.seconds) for n in range(self.options.rounds))
        result["note"] = f"the client alone manages {client:,.0f}; the disk alone, with the same flushes, {disk:,.0f}"
        return result

    def memory_use(self, kind=Coffer, part=1):
        """VmHWM of every worker that was there, while one large file goes up as body and form, and down both ways."""
        size = self.options.memory_size // part * MIB
        coffer, url = self.server(kind, self.work), None
        if shutil.disk_usage(self.work).free < 4 * size:
            raise Trouble(f"needs {4 * size >> 30} GB of disk: use --memory-size")
        path, peaks, own, over = self.work / "sparse", {}, {}, threading.Event()
        with open(path, "wb") as f:
            f.truncate(size)

        def watch():
            while not over.wait(0.1):
                for pid in coffer.workers():
                    try:
                        name = Path(f"/proc/{pid}/comm").read_text().strip()
                        status = Path(f"/proc/{pid}/status").read_text()
                        peaks[pid, name] = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024
                        if "login" not in name:
                            own[name] = max(own.get(name, 0), int(re.search(r"RssAnon:\s+(\d+)", status)[1]) * 1024)
                    except (OSError, TypeError):
                        pass  # it ended meanwhile
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            url = f"{coffer.url}/api/v1/content/sparse"
            curl(url, "-T", path, cookie=coffer.cookie)
            curl(url, cookie=coffer.cookie)
            curl(url, "-H", "If-Match: *", cookie=coffer.cookie)
            curl(url, "-X", "DELETE", cookie=coffer.cookie)
            coffer.cli("gc")
            curl(f"{coffer.url}/api/v1/upload", "-F", f"file=@{path}", cookie=coffer.cookie)
            curl(url, "-X", "DELETE", cookie=coffer.cookie)
            coffer.cli("gc")
        finally:
            over.set()
            watcher.join()
            path.unlink()
        counted = {name: peak for (_, name), peak in peaks.items() if "login" not in name}
        largest = max(counted, key=counted.get)
        self.stop(kind, self.work)
        return {"value": counted[largest] / 1e6, "own": max(own.values()) / 1e6, "note": f"it was {largest}, {own[largest] / 1e6:.1f} MB its own, the rest files mapped by all"}
