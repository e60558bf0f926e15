"""The everyday things with a thumb, on a screen of 360 by 740."""
import pytest
from browser.desk import PHONE
from playwright.sync_api import expect


@pytest.fixture
def desk(desk_for, alice, scripts):
    return desk_for(alice, scripts=scripts, viewport=PHONE, has_touch=True, is_mobile=True).open("/")


def fits(desk):
    wide = desk.page.evaluate("() => document.documentElement.scrollWidth") if desk.scripts else PHONE["width"]
    assert wide <= PHONE["width"], wide
    return desk


def test_a_day_with_a_phone(desk, alice):
    """Upload, look, put into a new folder, rename, delete, sign out."""
    desk.upload(("IMG_20261121_103107.jpg", b"\xff\xd8\xff" * 1000)).uploaded(1).expect_names("IMG_20261121_103107.jpg")
    fits(desk).shot(f"phone-list-{desk.way}")
    desk.row("IMG_20261121_103107.jpg").locator("a.entry").tap()
    fits(desk.heading("IMG_20261121_103107.jpg")).shot(f"phone-file-{desk.way}")
    desk.link("Files").tap()
    desk.heading("Files").new_folder("Photos").expect_names("Photos", "IMG_20261121_103107.jpg")
    fits(desk.tick("IMG_20261121_103107.jpg")).shot(f"phone-ticked-{desk.way}").bar("Move")
    expect(desk.page.locator("#pick")).to_be_visible()
    fits(desk).shot(f"phone-move-{desk.way}").into("Photos", go="Move here").noticed("Moved: 1").expect_names("Photos")
    desk.act("Photos", "Rename")
    desk.page.get_by_label("New name").fill("Pictures")
    desk.page.get_by_label("New name").press("Enter")
    fits(desk.expect_names("Pictures")).delete("Pictures")
    expect(desk.page.get_by_text("Nothing here yet")).to_be_visible()
    assert alice.names() == []
    fits(desk).page.locator("header").get_by_role("button", name="Sign out").tap()
    desk.heading("Sign in")


def test_the_menu_of_the_last_row_can_be_reached(desk_for, alice):
    for i in range(25):
        alice.file(f"{i:02}.txt")
    desk = desk_for(alice, viewport=PHONE, has_touch=True, is_mobile=True).open("/")
    desk.page.get_by_role("link", name="More: 24.txt", exact=True).tap()
    for entry in ("Details", "Delete"):
        expect(desk.row("24.txt").locator(".menu").get_by_text(entry, exact=True)).to_be_in_viewport()
    desk.shot("phone-menu")
