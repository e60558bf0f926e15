import pytest
from stores import prepared


@pytest.fixture
def coffer(server_factory):
    """An installation with an account `ann` and nobody serving: commands need no server."""
    return prepared(server_factory(start=False))
