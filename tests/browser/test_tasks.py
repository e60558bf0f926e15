"""What people do every day, each with the page's script and without it."""
import os
import re

import pytest
from harness import unique
from playwright.sync_api import expect


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


def test_upload_and_download(desk):
    data = os.urandom(300_000)
    desk.upload(("noise.bin", data), ("Grüße (1).txt", "Grüße".encode())).uploaded(2)
    desk.expect_names("Grüße (1).txt", "noise.bin")
    expect(desk.row("noise.bin").locator("td.size")).to_have_text("300 kB")
    assert desk.download("noise.bin") == data
    assert desk.download("Grüße (1).txt") == "Grüße".encode()


def test_folders_and_the_way_back(desk):
    desk.new_folder("Photos").expect_names("Photos").enter("Photos")
    desk.new_folder("2026").enter("2026").upload(("a.jpg", b"\xff\xd8\xff")).uploaded(1).expect_names("a.jpg")
    path = desk.page.get_by_role("navigation", name="Path")
    assert path.get_by_role("link").all_inner_texts() == ["Files", "Photos"]
    path.get_by_role("link", name="Photos").click()
    desk.heading("Photos").expect_names("2026")
    desk.page.get_by_role("navigation", name="Path").get_by_role("link", name="Files").click()
    desk.heading("Files").expect_names("Photos")


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
