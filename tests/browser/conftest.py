"""One Chromium for all tests; a desk each. A desk is closed with a look at what the browser complained about."""
import contextlib

import pytest
from browser.desk import Desk, launch
from playwright.sync_api import sync_playwright


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def desk_for(chromium, server):
    """desk_for(person, scripts=True, ...): a desk with that person's session; None: nobody's."""
    with contextlib.ExitStack() as desks:
        def make(person=None, **options):
            desk = Desk(chromium, server, **options)
            desks.callback(desk.close)
            return desk.sit_down(person) if person else desk
        yield make


@pytest.fixture(params=["scripts", "plain"])
def scripts(request):
    """Every task is done twice: with the page's script and without."""
    return request.param == "scripts"


@pytest.fixture
def desk(desk_for, alice, scripts):
    """Alice's desk, her files before her."""
    return desk_for(alice, scripts=scripts).open("/")
