"""Where things go: a folder made on the way, rows dragged onto folders."""
import pytest
from playwright.sync_api import expect


@pytest.mark.route("page_move_do", "page_copy_do")
@pytest.mark.parametrize("verb", ["Move", "Copy"])
def test_a_new_folder_on_the_way(desk, alice, verb):
    """Made where one looks, looked into at once; and one more in it."""
    alice.file("a.txt", b"data")
    desk.open("/").act("a.txt", verb)

    def make(name):
        pick = desk.page.locator("#pick")
        pick.locator("summary").click()
        pick.get_by_label("Name of the new folder").fill(name)
        pick.get_by_role("button", name="Create").click()
        expect(desk.page.locator("#pick [aria-current=page]")).to_have_text(name)
    make("2026")
    make("November")
    desk.into(go=f"{verb} here").noticed("Moved: 1" if verb == "Move" else "Copied: 1")
    assert alice.content("2026/November/a.txt").content == b"data"
    assert alice.content("a.txt").status_code == (404 if verb == "Move" else 200)


@pytest.mark.parametrize("name, why", [("Taken", "taken"), ("a/b", "cannot contain")])
def test_a_folder_that_cannot_be_made_is_said_beside_its_name(desk, alice, name, why):
    alice.file("a.txt")
    alice.folder("Taken")
    desk.open("/").act("a.txt", "Move")
    pick = desk.page.locator("#pick")
    pick.locator("summary").click()
    pick.get_by_label("Name of the new folder").fill(name)
    pick.get_by_label("Name of the new folder").press("Enter")
    expect(pick.get_by_role("alert")).to_contain_text(why)
    expect(pick.get_by_label("Name of the new folder")).to_have_value(name)
    desk.shot(f"pick-problem-{why[:5]}-{desk.way}").excuse("status of (409|422)")
    pick.get_by_label("Name of the new folder").fill("Free")
    pick.get_by_label("Name of the new folder").press("Enter")
    expect(desk.page.locator("#pick [aria-current=page]")).to_have_text("Free")
    desk.into(go="Move here").noticed("Moved: 1")
    assert alice.content("Free/a.txt").status_code == 200


def test_the_dialog_with_a_new_folder_is_for_everybody(desk_for, alice):
    alice.file("a.txt")
    desk = desk_for(alice).open("/").act("a.txt", "Move")
    desk.page.locator("#pick summary").click()
    assert not desk.axe()
    desk.shot("dialog-new-folder")
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_role("dialog")).to_be_hidden()


# ---------------------------------------------------------------- dragging
@pytest.fixture
def dragged(desk_for, alice):
    """In a folder: a folder and three files."""
    inside = alice.folder("Inside")
    alice.inside = inside["id"]
    alice.folder("Target", parent=inside["id"])
    for name in ("a.txt", "b.txt", "c.txt"):
        alice.file(name, name.encode(), parent=inside["id"])
    return desk_for(alice).open(f"/folder/{inside['id']}").heading("Inside")


def test_onto_a_folder(dragged, alice):
    dragged.drag("a.txt", dragged.row("Target")).noticed("Moved: 1").expect_names("Target", "b.txt", "c.txt")
    assert alice.content("Inside/Target/a.txt").content == b"a.txt"


def test_all_that_is_ticked(dragged, alice):
    dragged.tick("a.txt", "c.txt").drag("c.txt", dragged.row("Target")).noticed("Moved: 2").expect_names("Target", "b.txt")


def test_only_what_is_dragged_when_it_is_not_ticked(dragged, alice):
    dragged.tick("a.txt").drag("c.txt", dragged.row("Target")).noticed("Moved: 1").expect_names("Target", "a.txt", "b.txt")


def test_up_the_path(dragged, alice):
    path = dragged.page.get_by_role("navigation", name="Path")
    dragged.drag("Target", path.get_by_role("link", name="Files")).noticed("Moved: 1").expect_names("a.txt", "b.txt", "c.txt")
    assert sorted(alice.names()) == ["Inside", "Target"]


def test_onto_a_file_or_itself_nothing_happens(dragged, alice):
    for name, onto in (("a.txt", "b.txt"), ("Target", "Target")):
        dragged.drag(name, dragged.row(onto))
    dragged.page.reload()
    dragged.expect_names("Target", "a.txt", "b.txt", "c.txt")
    assert alice.names(alice.inside) == ["Target", "a.txt", "b.txt", "c.txt"]


def test_onto_a_folder_with_that_name_in_it(dragged, alice):
    target = next(item for item in alice.all(alice.inside) if item["name"] == "Target")
    alice.file("a.txt", b"there", parent=target["id"])
    dragged.drag("a.txt", dragged.row("Target"))
    expect(dragged.page.locator("#alert")).to_contain_text("a.txt")
    dragged.excuse("status of 409").expect_names("Target", "a.txt", "b.txt", "c.txt")
    assert alice.content("Inside/Target/a.txt").content == b"there"


def test_the_place_is_shown_before_letting_go(dragged):
    page = dragged.page
    page.locator("tr", has_text="a.txt").locator("a.entry").hover()
    page.mouse.down()
    box = dragged.row("Target").bounding_box()
    for x in (40, 60, 80):  # browsers begin to drag after a few steps
        page.mouse.move(box["x"] + x, box["y"] + 10)
    expect(page.locator("tr.target")).to_have_count(1)
    expect(page.locator("#drop")).to_be_hidden()  # that sign is for files from outside
    dragged.shot("dragging")
    page.mouse.move(box["x"] + 80, box["y"] + 1000)
    page.mouse.up()
    expect(page.locator("tr.target")).to_have_count(0)
    dragged.expect_names("Target", "a.txt", "b.txt", "c.txt")
