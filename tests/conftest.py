"""Fixtures of every tier that talks to a running Coffer; the work is done in harness.py."""
import os
import re
import signal

import pytest

import harness


def pytest_configure(config):
    def interrupted(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupted)  # so that fixtures end what they started


def _belongs_elsewhere(item):
    marks = [mark for name in ("sqlite", "once") if (mark := item.get_closest_marker(name))]
    assert all(mark.args for mark in marks), f"{item.nodeid}: the mark gives no reason"
    return harness.OTHER_STORES and any(mark.name == "sqlite" or not harness.ALL for mark in marks)


def pytest_collection_modifyitems(config, items):
    if elsewhere := [item for item in items if _belongs_elsewhere(item)]:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in elsewhere]
    if not harness.ALL:
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="takes long: set COFFER_TEST_ALL=1"))


def _finish(coffer, request):
    """End an installation; its logs are kept when a test failed, and a crash fails the run."""
    failed = request.session.testsfailed > 0
    text = coffer.logs()
    found = re.search(r"^.*(AddressSanitizer|LeakSanitizer|runtime error:|Assertion .* failed).*$", text, re.M)
    if failed or found:
        kept = coffer.keep()
        print(f"logs kept in {os.path.relpath(kept)}")
    coffer.close()
    assert not found, found[0]


@pytest.fixture(scope="session")
def server(request):
    """The installation that most tests share: plain http on loopback."""
    coffer = harness.Installation(name="server")
    try:
        coffer.start()
        yield coffer
    finally:
        _finish(coffer, request)


@pytest.fixture(scope="session")
def tls_server(request):
    """TLS and HTTP/2, as people run it."""
    coffer = harness.Installation(name="tls", tls=True)
    try:
        coffer.start()
        yield coffer
    finally:
        _finish(coffer, request)


@pytest.fixture
def server_factory(request):
    """server_factory(quota_default="1M", data=PATH): an installation of the test's own, started."""
    made = []

    def make(*, start=True, tls=False, data=None, **settings):
        named = {key.replace("_", ".", 1): value for key, value in settings.items()}
        coffer = harness.Installation(named, tls=tls, data=data, name=re.sub(r"\W+", "-", request.node.name)[:60])
        made.append(coffer)
        return coffer.start() if start else coffer
    try:
        yield make
    finally:
        for coffer in made:
            _finish(coffer, request)


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
