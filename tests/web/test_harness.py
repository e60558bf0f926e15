"""What the other tests stand on: a port that is taken, a process that is left behind, a program that crashed."""
import shutil
import socket
import subprocess

import pytest
from harness import OUT, HarnessError, ok, wait_for, working_in


def test_a_port_that_is_taken_is_given_up(server_factory):
    coffer = server_factory(start=False)
    taken = coffer.port
    with socket.socket() as s:
        s.bind(("127.0.0.1", taken))
        s.listen()
        coffer.start()
    assert coffer.port != taken
    alice = coffer.person()
    ok(alice.put("a", b"x"), 201)
    assert alice.get("/login", headers={"Host": f"127.0.0.1:{taken}"}).status_code == 421


def test_who_is_left_behind_is_ended(server_factory):
    coffer = server_factory()
    coffer.kill(coffer.nginx.pid)
    coffer.nginx.wait()
    stray = subprocess.Popen(["sleep", "1000"], cwd=coffer.dir, start_new_session=True)
    try:
        assert len(working_in(coffer.dir)) > 2
        coffer.close()
        assert wait_for(lambda: stray.poll() is not None)
    finally:
        stray.kill()


def test_a_crash_is_an_error(server_factory):
    coffer = server_factory(start=False)
    with open(coffer.log_path, "a") as log:
        log.write("==1==ERROR: AddressSanitizer: heap-use-after-free\n")
    with pytest.raises(HarnessError, match="heap-use-after-free"):
        coffer.close()
    shutil.rmtree(OUT / f"{coffer.name}-{coffer.port}")  # where its log was kept
