"""As much of MongoDB's protocol as tests need: commands to a server, a server of their own for each test, one that says of
itself what it is told to, and a proxy that falls silent.

    with MongoServer("--enable-test-commands") as server:
        server.fail("find", errorCode=10107)
"""
import contextlib
import os
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import tempfile
import threading
from pathlib import Path

from harness import PATIENCE_S, TOP, free_port, program, wait_for

OP_MSG = 2013
OP_QUERY, OP_REPLY = 2004, 1


# ---------------------------------------------------------------- documents
def _element(name, value):
    key = name.encode() + b"\0"
    if isinstance(value, bool):
        return b"\x08" + key + bytes([value])
    if isinstance(value, int):
        return b"\x10" + key + struct.pack("<i", value)
    if isinstance(value, float):
        return b"\x01" + key + struct.pack("<d", value)
    if isinstance(value, str):
        data = value.encode() + b"\0"
        return b"\x02" + key + struct.pack("<i", len(data)) + data
    if isinstance(value, dict):
        return b"\x03" + key + encode(value)
    return b"\x04" + key + encode({str(i): each for i, each in enumerate(value)})


def encode(document):
    body = b"".join(_element(k, v) for k, v in document.items())
    return struct.pack("<i", len(body) + 5) + body + b"\0"


FIXED = {1: 8, 7: 12, 8: 1, 9: 8, 10: 0, 16: 4, 17: 8, 18: 8}
UNPACK = {1: "<d", 8: "<?", 9: "<q", 16: "<i", 18: "<q"}


def _value(kind, data, at):
    """The value of that kind at `at`, and where it ends."""
    if kind in FIXED:
        end = at + FIXED[kind]
        return (struct.unpack(UNPACK[kind], data[at:end])[0] if kind in UNPACK else data[at:end]), end
    size = struct.unpack_from("<i", data, at)[0]
    if kind == 2:
        return data[at + 4:at + 3 + size].decode(), at + 4 + size
    if kind in (3, 4):
        inner = decode(data[at:at + size])
        return (inner if kind == 3 else list(inner.values())), at + size
    return data[at + 5:at + 5 + size], at + 5 + size  # binary


def decode(data):
    found, at = {}, 4
    while data[at]:
        end = data.index(0, at + 1)
        found[data[at + 1:end].decode()], at = _value(data[at], data, end + 1)
    return found


# ---------------------------------------------------------------- messages
def _exactly(s, n):
    data = b""
    while len(data) < n:
        piece = s.recv(n - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def read_message(s):
    """(request id, opcode, the rest)"""
    size, number, _, opcode = struct.unpack("<iiii", _exactly(s, 16))
    return number, opcode, _exactly(s, size - 16)


def command(port, db, document):
    """The answer of the server on that port of this host."""
    body = struct.pack("<iB", 0, 0) + encode(document | {"$db": db})
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as s:
        s.sendall(struct.pack("<iiii", 16 + len(body), 1, 0, OP_MSG) + body)
        answer = decode(read_message(s)[2][5:])
    assert answer["ok"] == 1, answer
    return answer


# ---------------------------------------------------------------- a server of a test's own
def server_program():
    """SECANTUSD, or the one beside the program under test that ./check installs; None."""
    places = (os.environ.get("SECANTUSD"), program().parent / "servers-venv" / "bin" / "secantusd-py")
    return next((str(place) for place in places if place and os.access(place, os.X_OK)), None)


class MongoServer:
    def __init__(self, *options):
        self.dir, self.port, self.options = Path(tempfile.mkdtemp(prefix="coffer-test-")), free_port(), options

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _run(self, *arguments):
        subprocess.run([TOP / "tests" / "servers" / "mongodb", *arguments], check=True, stdout=subprocess.DEVNULL,
                       env=os.environ | {"SECANTUSD": server_program()}, timeout=600)

    def start(self, *options):
        self._run("start", self.dir, str(self.port), *self.options, *options)

    def stop(self):
        self._run("stop", self.dir)

    def kill(self):
        pid = int((self.dir / "pid").read_text())
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self.answers())
        (self.dir / "pid").unlink()

    def answers(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), PATIENCE_S):
            return True
        return False

    def uri(self, db="coffer", options="", login=""):
        return f"mongodb://{login}127.0.0.1:{self.port}/{db}{options}"

    def fail(self, *commands, times=1, **how):
        command(self.port, "admin", {"configureFailPoint": "failCommand", "mode": {"times": times} if times else "alwaysOn",
                                     "data": {"failCommands": list(commands)} | how})

    def behave(self):
        command(self.port, "admin", {"configureFailPoint": "failCommand", "mode": "off"})


# ---------------------------------------------------------------- a server in name only
class SaysOfItself(socketserver.ThreadingTCPServer):
    """Answers every command with this document."""
    allow_reuse_address, daemon_threads = True, True

    def __init__(self, **document):
        super().__init__(("127.0.0.1", 0), None)
        self.document = {"ismaster": True, "isWritablePrimary": True, "maxBsonObjectSize": 1 << 24, "maxMessageSizeBytes": 48_000_000,
                         "maxWriteBatchSize": 1000, "minWireVersion": 0, "maxWireVersion": 17,
                         "cursor": {"firstBatch": [], "id": 0, "ns": "x.y"}, "ok": 1.0} | document

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def finish_request(self, request, client_address):
        with contextlib.suppress(OSError, EOFError):
            while True:
                number, opcode, _ = read_message(request)
                body = struct.pack("<iB", 0, 0) + encode(self.document)
                if opcode == OP_QUERY:
                    body = struct.pack("<iqii", 8, 0, 0, 1) + encode(self.document)
                head = struct.pack("<iiii", 16 + len(body), 1, number, OP_REPLY if opcode == OP_QUERY else OP_MSG)
                request.sendall(head + body)

    @property
    def uri(self):
        return f"mongodb://127.0.0.1:{self.server_address[1]}/coffer"
