"""A mistake is seen before it is made: what asks first says what it is about, and no is no."""
import pytest
from playwright.sync_api import expect


@pytest.fixture
def furnished(alice):
    """Two files, and a folder with more in it."""
    photos = alice.folder("Photos")
    year = alice.folder("2026", parent=photos["id"])
    for i in range(3):
        alice.file(f"{i}.jpg", b"x" * 1000, parent=year["id"])
    alice.file("a.txt", b"a" * 500)
    alice.file("b.txt", b"b" * 500)
    return alice


def asked(desk):
    return desk.page.get_by_role("dialog") if desk.scripts else desk.page.locator("main")


def cancel(desk):
    """As people do: Escape in a dialog, Back or the button on a page."""
    if desk.scripts:
        desk.page.keyboard.press("Escape")
        expect(desk.page.get_by_role("dialog")).to_be_hidden()
    else:
        desk.page.go_back()
    return desk


def intact(person):
    return person.names() == ["Photos", "a.txt", "b.txt"] and person.content("Photos/2026/2.jpg").status_code == 200


def test_deleting_a_folder_says_how_much_that_is(desk, furnished):
    desk.open("/").act("Photos", "Delete")
    expect(asked(desk)).to_contain_text("everything in it")
    if desk.scripts:
        expect(asked(desk).locator("#delete-count")).to_have_text("Files: 3 · Folders: 2 · 3.0 kB")
    else:
        facts = asked(desk).locator("dl")
        assert facts.inner_text().split() == ["Files", "3", "Folders", "1", "Size", "3.0", "kB"]
    desk.shot(f"ask-delete-folder-{desk.way}")
    cancel(desk)
    assert intact(furnished)


def test_deleting_several_says_which_and_how_much(desk, furnished):
    desk.open("/").tick("Photos", "b.txt").bar("Delete")
    names = asked(desk).locator("li bdi.name")
    expect(names).to_have_text(["Photos", "b.txt"])
    expect(asked(desk).locator("#delete-count, #delete-all")).to_have_text("Files: 4 · Folders: 2 · 3.5 kB")
    desk.shot(f"ask-delete-several-{desk.way}")
    cancel(desk)
    assert intact(furnished)
    if desk.scripts:
        expect(desk.page.get_by_label("Select Photos", exact=True)).to_be_checked()  # what was chosen stays so


def test_deleting_many_names_the_first(desk_for, alice):
    for i in range(9):
        alice.file(f"{i}.txt")
    desk = desk_for(alice).open("/")
    desk.page.get_by_label("Select all").check()
    desk.bar("Delete")
    expect(asked(desk).locator("li")).to_have_text(["0.txt", "1.txt", "2.txt", "3.txt", "4.txt", "and 4 more"])
    assert not desk.axe()
    desk.shot("ask-delete-many")
    asked(desk).get_by_role("button", name="Cancel").click()
    assert len(alice.names()) == 9


def test_no_is_where_enter_leads(desk_for, furnished):
    """Whoever hits Enter without reading has deleted nothing."""
    desk = desk_for(furnished).open("/").act("a.txt", "Delete")
    expect(asked(desk).get_by_role("button", name="Cancel")).to_be_focused()
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_role("dialog")).to_be_hidden()
    assert intact(furnished)


def test_moving_can_be_thought_better_of(desk, furnished):
    desk.open("/").tick("a.txt", "b.txt").bar("Move")
    desk.page.locator("#pick .where").get_by_role("button", name="Photos").click()
    expect(desk.page.locator("#pick [aria-current=page]")).to_have_text("Photos")
    desk.page.locator("#pick").get_by_text("Cancel", exact=True).click()
    desk.heading("Files")
    assert intact(furnished)


def test_renaming_can_be_thought_better_of(desk, furnished):
    desk.open("/").act("a.txt", "Rename")
    desk.page.get_by_label("New name").fill("other.txt")
    if desk.scripts:
        desk.page.keyboard.press("Escape")
        desk.expect_names("Photos", "a.txt", "b.txt")
    else:
        desk.link("Cancel").click()
    assert intact(furnished)


# ---------------------------------------------------------------- somebody else was faster
def test_what_nobody_has_seen_is_not_deleted(desk, furnished):
    """The question was about other contents than are there now."""
    desk.open("/").act("a.txt", "Delete")
    expect(asked(desk).get_by_role("heading", name="Delete for good?")).to_be_visible()
    furnished.put("a.txt", b"new and important")
    asked(desk).get_by_role("button", name="Delete", exact=True).click()
    if desk.scripts:
        expect(desk.page.locator("#alert")).to_contain_text("has changed")
    else:
        desk.heading("The file has changed since.").shot("changed-plain")
        desk.link("Look at it now").click()
        desk.heading("a.txt")
    desk.complaints[:] = [c for c in desk.complaints if "status of 412" not in c]
    assert furnished.content("a.txt").content == b"new and important"


@pytest.mark.route("page_delete_many")
def test_nor_among_several(desk_for, furnished):
    desk = desk_for(furnished, scripts=False).open("/").tick("a.txt", "b.txt").bar("Delete")
    furnished.put("a.txt", b"new and important")
    desk.button("Delete").click()
    results = desk.page.get_by_role("listitem")
    expect(results.filter(has_text="a.txt")).to_contain_text("has changed")
    expect(results.filter(has_text="b.txt")).to_contain_text("Deleted")
    desk.complaints[:] = [c for c in desk.complaints if "status of 412" not in c]
    assert furnished.names() == ["Photos", "a.txt"]


@pytest.mark.route("page_rename_do")
def test_what_nobody_has_seen_is_not_renamed(desk_for, furnished):
    desk = desk_for(furnished, scripts=False).open("/").act("a.txt", "Rename")
    furnished.put("a.txt", b"new")
    desk.page.get_by_label("New name").fill("other.txt")
    desk.button("Rename").click()
    desk.heading("The file has changed since.")
    expect(desk.page.get_by_text("Look at it as it is now, then do it again.")).to_be_visible()
    desk.complaints[:] = [c for c in desk.complaints if "status of 412" not in c]
    assert intact(furnished)
