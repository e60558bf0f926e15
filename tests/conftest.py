"""Fixtures of every tier that talks to a running Coffer; the work is done in harness.py."""
import contextlib
import re
import signal

import pytest

import harness

pytest_plugins = ["report"]
REASONED = ("sqlite", "alone", "plain")  # marks that say why


def pytest_configure(config):
    def interrupted(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupted)  # so that fixtures end what they started


def pytest_collection_modifyitems(config, items):
    for item in items:
        bare = [mark.name for mark in item.iter_markers() if mark.name in REASONED and not mark.args]
        assert not bare, f"{item.nodeid}: the mark {bare[0]} gives no reason"
    if harness.OTHER_STORES and (elsewhere := [item for item in items if item.get_closest_marker("sqlite")]):
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in elsewhere]
    if not harness.ALL:
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="takes long: set COFFER_TEST_ALL=1"))


@pytest.fixture(scope="session")
def server(request):
    """The installation that most tests share: plain http on loopback."""
    coffer = harness.Installation(name="server")
    try:
        coffer.start()
        yield coffer
    finally:
        coffer.close(keep=request.session.testsfailed > 0)


@pytest.fixture(scope="session")
def tls_server(request):
    """TLS and HTTP/2, as people run it."""
    coffer = harness.Installation(name="tls", tls=True)
    try:
        coffer.start()
        yield coffer
    finally:
        coffer.close(keep=request.session.testsfailed > 0)


@pytest.fixture
def server_factory(request):
    """server_factory(quota_default="1M", data=PATH): an installation of the test's own, started."""
    made = contextlib.ExitStack()

    def make(*, start=True, tls=False, data=None, **settings):
        named = {key.replace("_", ".", 1): value for key, value in settings.items()}
        coffer = harness.Installation(named, tls=tls, data=data, name=re.sub(r"\W+", "-", request.node.name)[:60],
                                      plain=request.node.get_closest_marker("plain") is not None)
        made.callback(lambda: coffer.close(keep=request.session.testsfailed > 0))
        return coffer.start() if start else coffer
    with made:
        yield make


def _people(server, request):
    person = server.anon()
    request.addfinalizer(lambda: (person.close(), server.people.remove(person)))
    return person


@pytest.fixture
def anon(server, request):
    """Nobody: a client without an account."""
    return _people(server, request)


@pytest.fixture
def alice(server, request):
    """A new account, signed in, with nothing in it."""
    return _people(server, request).register().login()


@pytest.fixture
def bob(server, request):
    """Somebody else."""
    return _people(server, request).register().login()
