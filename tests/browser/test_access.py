"""For everybody: keyboard alone, a phone, a dark room, a screen reader's rules (axe)."""
import pytest
from browser.desk import DESKTOP, PHONE
from harness import PASSWORD, unique, wait_for
from playwright.sync_api import expect

SIZES = {"desktop": {"viewport": DESKTOP}, "phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}}


@pytest.fixture
def furnished(alice):
    """Alice with a little of everything."""
    folder = alice.folder("Photos")
    inner = alice.folder("A folder whose name is so long that it has to be broken somewhere, on a phone in any case", parent=folder["id"])
    file = alice.file("notes.txt", b"hello")
    alice.file("averyveryverylongnamewithoutanyplacetobreakit" * 4 + ".tar.gz", parent=folder["id"])
    for i in range(5):
        alice.file(f"image {i}.jpg", b"\xff\xd8\xff" + b"x" * 10 ** i)
    alice.pages = {
        "files": "/", "paged": "/?limit=2", "folder": f"/folder/{folder['id']}", "empty": f"/folder/{inner['id']}", "done": "/?done=uploaded&n=2",
        "delete-file": f"/file/{file['id']}/delete", "delete-folder": f"/file/{folder['id']}/delete", "account": "/account", "account-done": "/account?done=password",
        "file": f"/file/{file['id']}", "about-folder": f"/file/{folder['id']}", "rename": f"/file/{file['id']}/rename",
        "move": f"/move?ids={file['id']}", "copy": f"/copy?ids={file['id']}&ids={folder['id']}",
        "missing": "/folder/0000000000000000", "nowhere": "/nowhere",
    }
    return alice


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_for_everybody(desk_for, furnished, size, scheme):
    desk = desk_for(furnished, color_scheme=scheme, **SIZES[size])
    _look(desk, furnished.pages, size, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_of_a_stranger(desk_for, size, scheme):
    desk = desk_for(color_scheme=scheme, **SIZES[size])
    _look(desk, {"login": "/login", "register": "/register", "signed-out": "/login?done=signed-out"}, size, scheme)


def _look(desk, pages, size, scheme):
    dark = scheme == "dark"
    for name, address in pages.items():
        desk.open(address)
        found = desk.axe()
        desk.shot(f"{name}-{size}-{scheme}")
        assert not found, (name, found)
        wide = desk.page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= desk.page.viewport_size["width"], f"{name} is wider than the screen: {wide}"
        brightness = desk.page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
        assert (max(brightness) < 64) == dark, (name, brightness)


def test_what_opens_on_the_page_is_for_everybody(desk_for, furnished):
    desk = desk_for(furnished).open("/")
    desk.page.get_by_role("link", name="More: notes.txt").click()
    assert not desk.axe()
    desk.shot("menu")
    desk.row("notes.txt").get_by_text("Delete").click()
    assert not desk.axe()
    desk.shot("dialog-delete")
    desk.page.keyboard.press("Escape")
    desk.tick("notes.txt", "Photos").bar("Move")
    expect(desk.page.get_by_role("dialog")).to_be_visible()
    assert not desk.axe()
    desk.shot("dialog-move")
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_role("group").get_by_role("button", name="Move")).to_be_focused()
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_role("group", name="Selected files and folders")).to_be_hidden()
    desk.act("notes.txt", "Rename")
    assert not desk.axe()
    desk.shot("inline-rename")
    desk.page.keyboard.press("Escape")
    desk.page.locator("summary", has_text="New folder").click()
    assert not desk.axe()
    desk.shot("new-folder")
    desk.page.keyboard.press("Escape")
    desk.drop(("notes.txt", b"again"), ("new.txt", b"new"))
    expect(desk.button("Keep both")).to_be_visible()
    assert not desk.axe()
    desk.shot("uploads")


def test_targets_for_fingers(desk_for, furnished):
    """Nothing to be tapped is smaller than 24 by 24 (WCAG 2.5.8), what is used most not smaller than 40 high."""
    desk = desk_for(furnished, **SIZES["phone"]).open("/")
    small = desk.page.evaluate("""() => [...document.querySelectorAll("main a, main button, main summary, header a, header button")]
        .map((e) => [e.textContent.trim(), e.getBoundingClientRect()])
        .filter(([, r]) => r.width > 1 && (r.width < 24 || r.height < 24)).map(([text]) => text)""")
    assert not small
    assert desk.row("notes.txt").locator("a.entry").bounding_box()["height"] >= 40


def focused(desk):
    return desk.page.evaluate("""() => { const e = document.activeElement;
        return (e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.innerText || "").replace(/\\s+/g, " ").trim() }""")


def tab_to(desk, *wanted):
    """Press Tab until something of one of these names has the focus, which must be visible there."""
    seen = []
    for _ in range(60):
        desk.page.keyboard.press("Tab")
        seen.append(focused(desk))
        if seen[-1] in wanted:
            assert desk.page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") != "none", f"no ring around {seen[-1]}"
            return
    raise AssertionError(f"{wanted} is not reached by Tab: {seen}")


def test_keyboard_only(desk_for, alice):
    """Register, make a folder, go in, upload by the chooser, delete, sign out: the mouse is unplugged."""
    desk = desk_for().open("/register")
    keys = desk.page.keyboard
    name = unique("keys")
    expect(desk.page.get_by_label("User name")).to_be_focused()
    keys.type(name)
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    desk.heading("Files")

    keys.press("Tab")
    assert wait_for(lambda: focused(desk) == "Skip to the content")
    keys.press("Enter")
    tab_to(desk, "New folder")
    keys.press("Enter")
    expect(desk.page.get_by_label("Name of the new folder")).to_be_focused()
    keys.type("Keys")
    keys.press("Enter")
    desk.expect_names("Keys")
    tab_to(desk, "Keys (folder)")
    keys.press("Enter")
    desk.heading("Keys")

    expect(desk.button("Upload")).to_be_visible()  # the script's; before it runs, the way without it is open
    tab_to(desk, "Upload")
    with desk.page.expect_file_chooser() as chooser:
        keys.press("Enter")
    chooser.value.set_files([{"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"}, {"name": "b.txt", "mimeType": "text/plain", "buffer": b"b"}])
    desk.uploaded(2).expect_names("a.txt", "b.txt")
    desk.page.locator("#main").focus()
    tab_to(desk, "a.txt")
    keys.press("F2")
    keys.type("c")
    keys.press("Enter")
    desk.expect_names("b.txt", "c.txt")
    assert wait_for(lambda: focused(desk) == "c.txt")
    tab_to(desk, "More: c.txt")
    keys.press("Enter")
    assert wait_for(lambda: focused(desk) == "Details")
    keys.press("ArrowUp")
    assert wait_for(lambda: focused(desk) == "Delete")
    keys.press("Enter")
    expect(desk.page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    keys.press("Escape")
    desk.expect_names("b.txt", "c.txt")
    assert wait_for(lambda: focused(desk) == "More: c.txt")
    keys.press("Shift+Tab")
    keys.press("Shift+Tab")
    keys.press("Delete")
    keys.press("Shift+Tab")
    keys.press("Enter")
    desk.expect_names("b.txt")
    assert wait_for(lambda: "b.txt" in focused(desk)), "the focus goes on to the neighbour"

    keys.press("Control+Home")
    desk.open("/")
    tab_to(desk, "Sign out")
    keys.press("Enter")
    desk.heading("Sign in")


def test_the_first_page_is_small(desk_for, alice, scripts):
    """All that the first visit loads, as sent: less than 100 kB."""
    alice.file("a.txt")
    desk, sizes = desk_for(alice, scripts=scripts), {}
    desk.page.on("requestfinished", lambda r: sizes.update({r.url: r.sizes()["responseBodySize"] + r.sizes()["responseHeadersSize"]}))
    desk.open("/")
    desk.page.wait_for_load_state("networkidle")
    assert len(sizes) >= 3 and sum(sizes.values()) < 100_000, sizes
