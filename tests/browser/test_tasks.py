"""What people do every day, each with the page's script and without it."""
import os
import re

import pytest
from harness import unique
from playwright.sync_api import expect


@pytest.mark.door
def test_first_visit(desk_for, scripts):
    """From nothing to the first file."""
    desk = desk_for(scripts=scripts).open("/")
    desk.heading("Sign in").shot(f"login-{desk.way}")
    desk.link("Create an account").click()
    name = unique("visitor")
    desk.register(name).heading("Files")
    expect(desk.page.get_by_text("Nothing here yet")).to_be_visible()
    desk.shot(f"empty-{desk.way}")
    desk.upload(("hello.txt", b"hello")).uploaded(1).expect_names("hello.txt")
    assert name in desk.text()


def test_sign_in_leads_to_where_one_wanted_to_go(desk_for, alice, scripts):
    folder = alice.folder("Holidays")
    desk = desk_for(scripts=scripts).open(f"/folder/{folder['id']}?sort=size")
    desk.heading("Sign in").sign_in(alice.name).heading("Holidays")
    assert desk.page.url.endswith(f"/folder/{folder['id']}?sort=size")


def test_a_wrong_password_is_said_beside_the_form(desk_for, alice, scripts):
    desk = desk_for(scripts=scripts).open("/login").sign_in(alice.name, "not the password")
    expect(desk.page.get_by_role("alert")).to_contain_text("wrong")
    expect(desk.page.get_by_label("User name")).to_have_value(alice.name)
    expect(desk.page.get_by_label("Password", exact=True)).to_be_focused()
    desk.excuse("status of 401")


@pytest.mark.door
def test_upload_and_download(desk):
    data = os.urandom(300_000)
    desk.upload(("noise.bin", data), ("Grüße (1).txt", "Grüße".encode())).uploaded(2)
    desk.expect_names("Grüße (1).txt", "noise.bin")
    expect(desk.row("noise.bin").locator("td.size")).to_have_text("300 kB")
    assert desk.download("noise.bin") == data
    assert desk.download("Grüße (1).txt") == "Grüße".encode()


@pytest.mark.door
def test_folders_and_the_way_back(desk):
    desk.new_folder("Photos").expect_names("Photos").enter("Photos")
    desk.new_folder("2026").enter("2026").upload(("a.jpg", b"\xff\xd8\xff")).uploaded(1).expect_names("a.jpg")
    path = desk.page.get_by_role("navigation", name="Path")
    assert path.get_by_role("link").all_inner_texts() == ["Files", "Photos"]
    path.get_by_role("link", name="Photos").click()
    desk.heading("Photos").expect_names("2026")
    desk.page.get_by_role("navigation", name="Path").get_by_role("link", name="Files").click()
    desk.heading("Files").expect_names("Photos")


@pytest.mark.door
def test_deleting_asks_first(desk, alice):
    alice.file("keep.txt")
    alice.folder("Old", parent=alice.root)
    desk.open("/").delete("keep.txt", sure=False)
    desk.expect_names("Old", "keep.txt")
    desk.delete("keep.txt").expect_names("Old")
    desk.delete("Old")
    expect(desk.page.get_by_text("Nothing here yet")).to_be_visible()
    assert alice.names() == []


def test_a_taken_name_is_asked_about(desk, alice):
    alice.file("a.txt", b"old")
    desk.open("/").upload(("a.txt", b"new"))
    if desk.scripts:
        desk.button("Keep both").click()
    desk.uploaded(1).expect_names("a (1).txt", "a.txt")
    assert (alice.content("a.txt").content, alice.content("a%20(1).txt").content) == (b"old", b"new")
    desk.upload(("a.txt", b"newer"), conflict="replace")
    if desk.scripts:
        desk.button("Replace").click()
    desk.uploaded(1)
    assert alice.content("a.txt").content == b"newer"


@pytest.mark.door
@pytest.mark.route("page_rename", "page_rename_do")
def test_rename(desk, alice):
    alice.file("a.txt", b"same")
    alice.file("taken.txt")
    desk.open("/").act("a.txt", "Rename")
    name = desk.page.get_by_label("New name")
    expect(name).to_be_focused()
    expect(name).to_have_value("a.txt")
    for wrong, why in (("taken.txt", "taken"), ("a/b", "cannot contain")):
        name.fill(wrong)
        name.press("Enter")
        expect(desk.page.locator("[role=alert]:visible")).to_contain_text(why)
        expect(name).to_have_value(wrong)
    desk.shot(f"rename-{desk.way}")
    name.fill("Größe.txt")
    name.press("Enter")
    desk.expect_names("Größe.txt", "taken.txt")
    assert alice.content("Gr%C3%B6%C3%9Fe.txt").content == b"same"
    desk.excuse("status of (409|422)")


@pytest.mark.door
@pytest.mark.route("page_move", "page_move_do")
def test_move_one(desk, alice):
    photos = alice.folder("Photos")
    alice.folder("2026", parent=photos["id"])
    alice.file("sea.jpg")
    desk.open("/").act("sea.jpg", "Move")
    expect(desk.page.locator("#pick").get_by_role("button", name="Move here")).to_be_disabled()
    desk.into("Photos", "2026", go="Move here").noticed("Moved: 1").expect_names("Photos")
    desk.enter("Photos").enter("2026").expect_names("sea.jpg")


@pytest.mark.door
@pytest.mark.route("page_copy", "page_copy_do")
def test_copy_several(desk, alice):
    alice.folder("Backup")
    for name in ("a.txt", "b.txt", "c.txt"):
        alice.file(name, name.encode())
    desk.open("/").tick("a.txt", "c.txt").shot(f"selected-{desk.way}").bar("Copy")
    desk.shot(f"pick-{desk.way}").into("Backup", go="Copy here").noticed("Copied: 2")
    desk.expect_names("Backup", "a.txt", "b.txt", "c.txt").enter("Backup").expect_names("a.txt", "c.txt")
    assert alice.content("Backup/c.txt").content == b"c.txt"


def test_moving_twenty(desk, alice):
    """Among them a folder, which cannot be walked into; and one more folder up again."""
    target = alice.folder("Target")
    alice.folder("Subfolder")
    names = ["Subfolder"] + [f"{i:02}.txt" for i in range(19)]
    for name in names[1:]:
        alice.file(name)
    desk.open("/").tick(*names).bar("Move")
    where = desk.page.locator("#pick .where")
    expect(where.get_by_role("button", name="Subfolder")).to_be_disabled()
    where.get_by_role("button", name="Target").click()
    expect(desk.page.locator("#pick [aria-current=page]")).to_have_text("Target")
    expect(where.get_by_text("No folders in here")).to_be_visible()
    where.get_by_role("button", name="Files").click()
    desk.into("Target", go="Move here").noticed("Moved: 20").expect_names("Target")
    assert sorted(alice.names(target["id"])) == sorted(names)


def test_a_move_onto_a_taken_name_is_told(desk, alice):
    folder = alice.folder("Photos")
    alice.file("a.txt", b"there", parent=folder["id"])
    alice.file("a.txt", b"here")
    alice.file("b.txt")
    desk.open("/").tick("a.txt", "b.txt").bar("Move").into("Photos", go="Move here")
    expect(desk.page.locator("#alert, #results").filter(visible=True)).to_contain_text("a.txt")
    expect(desk.page.locator("#alert, #results").filter(visible=True)).to_contain_text("taken")
    desk.shot(f"not-moved-{desk.way}").excuse("status of 409")
    desk.open("/").expect_names("Photos", "a.txt")
    assert alice.content("a.txt").content == b"here" and alice.content("Photos/a.txt").content == b"there"


@pytest.mark.route("page_delete_many")
def test_delete_several(desk, alice):
    alice.folder("Old")
    for name in ("a.txt", "b.txt"):
        alice.file(name)
    desk.open("/").tick("Old", "b.txt").bar("Delete")
    asked = desk.page.get_by_role("dialog") if desk.scripts else desk.page.locator("main")
    expect(asked.get_by_role("heading", name="Delete for good?")).to_be_visible()
    desk.shot(f"delete-many-{desk.way}")
    asked.get_by_role("button", name="Delete", exact=True).click()
    desk.expect_names("a.txt")
    assert alice.names() == ["a.txt"]


def test_the_bar_comes_and_goes(desk, alice):
    alice.file("a.txt")
    desk.open("/")
    bar = desk.page.get_by_role("group", name="Selected files and folders")
    expect(bar).to_be_hidden()
    desk.tick("a.txt")
    expect(bar).to_be_visible()
    bar.get_by_role("button", name="Select nothing").click()
    expect(bar).to_be_hidden()


@pytest.mark.route("page_file")
def test_the_page_about_a_folder(desk, alice):
    folder = alice.folder("Photos")
    alice.file("a.jpg", b"x" * 2000, parent=folder["id"])
    desk.open(f"/file/{folder['id']}").heading("Photos")
    expect(desk.page.locator("dt", has_text="Files in it").locator("+ dd")).to_have_text("1")
    expect(desk.page.locator("dt", has_text="Folders in it").locator("+ dd")).to_have_text("0")
    expect(desk.page.get_by_text("2.0 kB")).to_be_visible()
    desk.shot(f"about-folder-{desk.way}").link("Open").click()
    desk.heading("Photos").expect_names("a.jpg")


def test_sort(desk, alice):
    for name, size in (("b.txt", 3), ("a.txt", 2), ("c.txt", 1)):
        alice.file(name, b"x" * size)
    desk.open("/").expect_names("a.txt", "b.txt", "c.txt")
    desk.page.get_by_role("columnheader", name="Size").get_by_role("link").click()
    desk.expect_names("c.txt", "a.txt", "b.txt")
    desk.page.get_by_role("columnheader", name="Size").get_by_role("link").click()
    desk.expect_names("b.txt", "a.txt", "c.txt")
    expect(desk.page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")


def test_a_long_list_has_pages(desk, alice):
    for i in range(5):
        alice.file(f"{i}.txt")
    desk.open("/?limit=3").expect_names("0.txt", "1.txt", "2.txt")
    desk.link("Next page").click()
    desk.expect_names("3.txt", "4.txt")
    desk.link("Back to the start").click()
    desk.expect_names("0.txt", "1.txt", "2.txt")


def test_account_page(desk, alice):
    desk.page.get_by_role("link", name=re.compile(alice.name)).click()
    desk.heading("Your account")
    expect(desk.page.get_by_text("used, no limit")).to_be_visible()
    desk.shot(f"account-{desk.way}")


@pytest.mark.parametrize("address", ["/", "/account"])
def test_after_signing_out_nothing_shows(desk, alice, address):
    alice.file("secret.txt")
    desk.open(address)
    if address == "/":
        desk.expect_names("secret.txt")
    desk.page.locator("header").get_by_role("button", name="Sign out").click()
    desk.heading("Sign in")
    expect(desk.page.get_by_role("status").first).to_have_text("You are signed out.")
    desk.page.go_back()
    desk.heading("Sign in")
    assert "secret.txt" not in desk.page.content() and alice.name not in desk.page.content()


def test_a_second_person_sees_none_of_it(desk_for, alice, bob, scripts):
    folder = alice.folder("Private")
    file = alice.file("diary.txt", parent=folder["id"])
    desk = desk_for(bob, scripts=scripts).open("/")
    expect(desk.page.get_by_text("Nothing here yet")).to_be_visible()
    for address in (f"/folder/{folder['id']}", f"/file/{file['id']}/delete"):
        desk.open(address)
        assert "Private" not in desk.text() and "diary" not in desk.text()
        expect(desk.page.get_by_text("It may have been deleted or moved")).to_be_visible()
    desk.shot(f"missing-{desk.way}")
