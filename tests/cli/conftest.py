import pytest
from harness import Installation
from stores import prepared


@pytest.fixture
def coffer(server_factory):
    """An installation with an account `ann` and nobody serving: commands need no server."""
    return prepared(server_factory(start=False))


@pytest.fixture(scope="module")
def idle():
    """One whose stores nobody has made, for what commands say of themselves."""
    with Installation(name="idle") as made:
        made.write_conf()
        yield made
