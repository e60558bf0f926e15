import pytest


@pytest.fixture
def coffer(server_factory):
    """An installation with an account `ann` and nobody serving: commands need no server."""
    made = server_factory(start=False)
    made.write_conf()
    made.run.mkdir(mode=0o750)
    made.data.mkdir(mode=0o700)
    made.start_coffer()
    made.stop()
    made.cli("user", "add", "ann", stdin="correct horse battery staple 42\n")
    return made
