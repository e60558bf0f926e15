"""One file among ten thousand: found by its name, by the order of the list, or page by page."""
import os
import re

import pytest
from browser.desk import PHONE
from playwright.sync_api import expect

MANY = 10_000


@pytest.fixture(scope="module")
def archive(server, tmp_path_factory):
    """Somebody with ten thousand scans, ten folders and one letter among them. Read only: the tests here share it."""
    source = tmp_path_factory.mktemp("archive")
    for i in range(MANY - 1):
        (source / f"scan {i:05}.txt").write_bytes(b"%d" % i)
    (source / "A Letter to Zoë.txt").write_bytes(b"Dear Zo\xc3\xab")
    for i in range(10):
        (source / f"year {2010 + i}").mkdir()
    for path in source.iterdir():
        os.utime(path, (1_600_000_000, 1_600_000_000))
    os.utime(source / "scan 07777.txt", (1_700_000_000, 1_700_000_000))
    with_archive = server.person()
    server.cli("import", str(source), f"{with_archive.name}:/", timeout=600)
    return with_archive


@pytest.fixture
def desk(desk_for, archive, scripts):
    return desk_for(archive, scripts=scripts).open("/")


def test_by_a_part_of_its_name(desk):
    """Whatever the case, whatever its place in the list; then it is opened."""
    desk.find("zoë").expect_names("A Letter to Zoë.txt")
    expect(desk.page.locator("#found")).to_contain_text("With “zoë” in the name: 1")
    desk.shot(f"found-{desk.way}")
    desk.row("A Letter to Zoë.txt").locator("a.entry").click()
    desk.heading("A Letter to Zoë.txt")
    expect(desk.page.locator("#text")).to_have_text("Dear Zoë")
    desk.page.go_back()
    desk.expect_names("A Letter to Zoë.txt")  # the list is as it was left
    desk.link("Show everything").click()
    expect(desk.row("year 2010")).to_be_visible()
    expect(desk.page.get_by_role("searchbox")).to_have_value("")


def test_among_many_of_a_kind(desk):
    desk.find("scan 0777").expect_names(*(f"scan 0777{i}.txt" for i in range(10)))
    desk.page.get_by_role("columnheader", name="Modified").get_by_role("link").click()
    desk.page.get_by_role("columnheader", name="Modified").get_by_role("link").click()
    expect(desk.page.locator("#list tbody bdi.name").first).to_have_text("scan 07777.txt")
    expect(desk.page.locator("#list tbody tr")).to_have_count(10)


def test_folders_are_found_as_well(desk):
    desk.find("2014").expect_names("year 2014", "scan 02014.txt")


def test_what_is_not_there(desk):
    for part in ("no such name", "%", "_", "*", "scan/", "<b>"):
        desk.find(part)
        expect(desk.page.get_by_role("heading", name="Nothing of that name")).to_be_visible()
    desk.shot(f"nothing-found-{desk.way}")


def test_more_than_a_page_is_found(desk):
    desk.find("scan 01")
    expect(desk.page.locator("#list tbody tr")).to_have_count(200)
    expect(desk.page.locator("#found")).to_contain_text("on this page: 200")
    for first in (1200, 1400, 1600, 1800):
        desk.link("Next page").click()
        expect(desk.page.locator("#list tbody bdi.name").first).to_have_text(f"scan {first:05}.txt")
    assert desk.link("Next page").count() == 0
    desk.link("Back to the start").click()
    expect(desk.page.locator("#list tbody bdi.name").first).to_have_text("scan 01000.txt")


def test_by_order(desk):
    """The latest first: one click, and one more for the other direction."""
    desk.page.get_by_role("columnheader", name="Modified").get_by_role("link").click()
    desk.page.get_by_role("columnheader", name="Modified").get_by_role("link").click()
    expect(desk.page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    expect(desk.page.locator("#list tbody tr").nth(10).locator("bdi.name")).to_have_text("scan 07777.txt")  # behind ten folders


def test_page_by_page(desk):
    names = [f"year {2010 + i}" for i in range(10)] + ["A Letter to Zoë.txt"] + [f"scan {i:05}.txt" for i in range(MANY - 1)]
    for first in (0, 200, 400):
        desk.expect_names(*names[first:first + 200])
        desk.link("Next page").click()
    expect(desk.page.locator("#list tbody bdi.name").first).to_have_text(names[600])
    desk.link("Back to the start").click()
    expect(desk.page.locator("#list tbody bdi.name").first).to_have_text(names[0])


def test_with_the_keyboard(desk_for, archive):
    desk = desk_for(archive).open("/")
    expect(desk.button("Find")).to_be_hidden()  # the script has begun
    desk.page.keyboard.press("/")
    field = desk.page.get_by_role("searchbox")
    expect(field).to_be_focused()
    desk.page.keyboard.type("LETTER")
    desk.expect_names("A Letter to Zoë.txt")
    expect(desk.page).to_have_url(re.compile(r"[?&]q=LETTER"))
    desk.page.keyboard.press("ArrowDown")
    expect(desk.row("A Letter to Zoë.txt").locator("a.entry")).to_be_focused()
    field.focus()
    desk.page.keyboard.press("Escape")
    expect(desk.row("year 2010")).to_be_visible()
    assert not desk.axe()


def test_on_a_phone(desk_for, archive):
    desk = desk_for(archive, viewport=PHONE, has_touch=True, is_mobile=True).open("/")
    desk.find("zoë").expect_names("A Letter to Zoë.txt").shot("found-phone")
    desk.row("A Letter to Zoë.txt").locator("a.entry").tap()
    desk.heading("A Letter to Zoë.txt")
