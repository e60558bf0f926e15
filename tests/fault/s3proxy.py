"""A TCP proxy that stands before an S3 server and misbehaves when told to.

    with S3Proxy("127.0.0.1:9000") as proxy:
        proxy.cut_answer(1000)      # the next answers break off after 1,000 bytes
        ...
        proxy.behave()

S3 requests are signed for the Host they name, and the proxy passes that on untouched: whoever talks to it has to use its
address. Run by hand: s3proxy.py HOST:PORT MODE [ARGUMENT], with the names of the methods below as modes.
"""
import contextlib
import itertools
import socket
import struct
import sys
import threading
import time

BUSY = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class S3Proxy:
    def __init__(self, server, port=0):
        host, _, to = server.rpartition(":")
        self.server = (host, int(to))
        self.listener = None
        self.lock = threading.Lock()
        self.open = set()
        self.heads = []                 # of the requests, in the order seen
        self.port = port
        self.behave()
        self.listen()

    # ---- how it behaves from now on; `times`: for so many requests or connections, then well again
    def behave(self):
        self.mode, self.argument, self.left, self.match = "pass", None, None, b""

    def _set(self, mode, argument=None, times=None, match=b""):
        self.behave()
        self.argument, self.left, self.match, self.mode = argument, times, match, mode

    def delay(self, seconds, **options):
        """Each answer comes so much later."""
        self._set("delay", seconds, **options)

    def cut_answer(self, after, **options):
        """The connection is closed after so many bytes of an answer."""
        self._set("cut_answer", after, **options)

    def cut_request(self, after, **options):
        """The connection is closed after so many bytes of a request; none of it arrives."""
        self._set("cut_request", after, **options)

    def swallow_answer(self, **options):
        """The request arrives and is done; instead of its answer the connection is closed."""
        self._set("swallow_answer", **options)

    def black_hole(self, **options):
        """Takes everything and says nothing."""
        self._set("black_hole", **options)

    def status(self, status, body=BUSY, headers=b"", **options):
        """Answers by itself."""
        self._set("status", (status, body, headers), **options)

    def reset(self, **options):
        """Resets the connection as soon as a request comes."""
        self._set("reset", **options)

    def inject(self, headers, **options):
        """Adds these header lines to each answer."""
        self._set("inject", headers, **options)

    def _takes(self, head):
        """Does the mode apply to this request? Counts it."""
        with self.lock:
            if self.mode == "pass" or self.match not in head:
                return None
            if self.left is not None:
                if self.left == 0:
                    return None
                self.left -= 1
            return self.mode, self.argument

    def requests(self, method=b""):
        """The first lines of the requests seen, in that order; of those that begin so."""
        return [head.split(b"\r\n")[0].decode() for head in self.heads if head.startswith(method)]

    # ---- sockets
    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"http://{self.address}"

    def listen(self):
        self.is_up = True
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def down(self):
        """Nobody listens any more, and what was open is ended."""
        self.is_up = False
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for s in list(self.open):
            self._drop(s)  # shut down: a thread that reads from it would keep a closed one alive

    def up(self):
        self.listen()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()

    def _drop(self, s, reset=False):
        with contextlib.suppress(OSError):
            if reset:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                s.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            s.close()
        self.open.discard(s)

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.open.add(client)
            if not self.is_up:
                self._drop(client)
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    # ---- one connection: a request, an answer, the next
    def _serve(self, client):
        server = None
        try:
            reader = client.makefile("rb", buffering=1 << 16)
            while head := read_head(reader):
                self.heads.append(head)
                if server is None:
                    server = socket.create_connection(self.server)
                    self.open.add(server)
                    answers = server.makefile("rb", buffering=1 << 16)
                if not self._exchange(client, reader, head, server, answers):
                    return
        except OSError:
            pass
        finally:
            self._drop(client)
            if server is not None:
                self._drop(server)

    def _exchange(self, client, reader, head, server, answers):
        mode, argument = self._takes(head) or ("pass", None)
        if mode == "reset":
            self._drop(client, True)
            return False
        if mode == "black_hole":
            for _ in body(reader, head):
                pass
            time.sleep(3600 if argument is None else argument)
            return False
        if mode == "cut_request":
            taken = 0
            for piece in body(reader, head):
                taken += len(piece)
                if taken >= argument:
                    break
            return False
        if mode == "status":
            for _ in body(reader, head):
                pass
            status, text, headers = argument
            client.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n" % (status, len(text), headers) + (b"" if head.startswith(b"HEAD") else text))
            return True
        server.sendall(head)
        for piece in body(reader, head):
            server.sendall(piece)
        return self._answer(client, head, answers, mode, argument)

    def _answer(self, client, request, answers, mode, argument):
        head = read_head(answers)
        while head.startswith(b"HTTP/1.1 100"):
            head = read_head(answers)
        if mode == "swallow_answer":
            for _ in body(answers, head, request):
                pass
            return False
        if mode == "delay":
            time.sleep(argument)
        if mode == "inject":
            head = head[:-2] + argument + b"\r\n"
        sent = 0
        for piece in itertools.chain([head], body(answers, head, request)):
            if mode == "cut_answer" and sent + len(piece) > argument:
                client.sendall(piece[:argument - sent])
                return False
            client.sendall(piece)
            sent += len(piece)
        return b"\r\nconnection: close" not in head.lower()


def read_head(reader):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = reader.readline(1 << 16)
        if not line:
            return b""
        head += line
    return head


def header(head, name):
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return None


def body(reader, head, request=b""):
    """The pieces of a message's body, as they came (chunked ones with their frames)."""
    if request.startswith(b"HEAD") or head[9:12] in (b"204", b"304"):
        return
    if b"chunked" in (header(head, b"transfer-encoding") or b"").lower():
        while True:
            line = reader.readline(1 << 16)
            size = int(line.split(b";")[0], 16)
            yield line + reader.read(size + 2)
            if size == 0:
                return
    left = int(header(head, b"content-length") or 0)
    while left > 0:
        piece = reader.read1(min(left, 1 << 16))
        if not piece:
            return
        left -= len(piece)
        yield piece


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    proxy = S3Proxy(sys.argv[1])
    if sys.argv[2] != "pass":
        argument = [int(a) if a.isdigit() else a.encode() for a in sys.argv[3:]]
        getattr(proxy, sys.argv[2])(*argument)
    print(proxy.url, flush=True)
    while True:
        time.sleep(60)
