"""What the tests of a MongoDB that misbehaves stand on. They end and start servers, so each has one of its own: SecantusDB, which
SECANTUSD names or ./check has installed beside the program (tests/servers/mongodb, tests/requirements-servers.txt).
"""
import pytest
from mongowire import MongoServer, server_program

needs_mongodb = pytest.mark.skipif(server_program() is None, reason="no SecantusDB: SECANTUSD names none, and none is beside the program")


@pytest.fixture
def own():
    """A server to be killed."""
    with MongoServer() as server:
        yield server


def assert_whole(coffer):
    """After one round of the keeper nothing is to be found."""
    coffer.cli("keeper", "--once")
    found = coffer.fsck()
    assert found.returncode == 0, found.stdout + found.stderr
    assert "0 damaged, 0 repaired" in found.stdout, found.stdout


def used(person):
    return person.me()["used"]
