"""What somebody uploads is never anything but a file, and what they call it never anything but a name."""
import pytest
from playwright.sync_api import expect

BAD_NAMES = ["<img src=x onerror=alert(1)>.txt", "\"><script>alert(2)<_script>", "{{problem}}{{{x}}}.txt", "javascript:alert(3)",
             "'; alert(4);'.txt", "%3Cscript%3E.txt", "a&amp;b.txt"]

HTML = b"<!doctype html><title>x</title><script>document.title = 'ran'; alert('ran')</script><img src=x onerror=alert(1)>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>'


@pytest.mark.parametrize("name, data, kind", [
    ("page.html", HTML, "text/html"), ("picture.svg", SVG, "image/svg+xml"), ("page.txt", HTML, "text/html"),
    ("page.png", HTML, "image/png"), ("page.xhtml", HTML, "application/xhtml+xml")])
def test_an_uploaded_page_runs_nothing(desk_for, alice, name, data, kind):
    """Opened by its address: it is a download, or shown as what it is not allowed to be more than."""
    desk = desk_for(alice)
    file = alice.upload((name, data, kind)).json()
    for address in (f"/api/v1/files/{file['id']}", f"/api/v1/content/{name}"):
        page = desk.context.new_page()
        try:
            page.goto(address)
            assert page.title() != "ran"
            assert page.evaluate("() => document.querySelector('script') === null")
        except Exception as error:  # Playwright reports a download as a failed navigation
            assert "Download is starting" in str(error), error
        page.wait_for_timeout(100)
        page.close()
    # Chromium's own viewer of images styles itself, which the policy of contents forbids even to it.
    desk.complaints[:] = [c for c in desk.complaints if not (name == "page.png" and "Applying inline style" in c)]


def test_names_are_only_names(desk_for, alice, scripts):
    for name in BAD_NAMES:
        alice.file(name)
    alice.folder("<b>bold</b>".replace("/", "_"))
    desk = desk_for(alice, scripts=scripts).open("/")
    assert sorted(desk.names()) == sorted([*BAD_NAMES, "<b>bold<_b>"])
    desk.shot(f"names-{desk.way}")
    desk.delete(BAD_NAMES[0], sure=False)
    desk.open("/").delete(BAD_NAMES[0])
    expect(desk.row(BAD_NAMES[0])).to_have_count(0)
    assert desk.page.locator("main img, main script").count() == 0


def test_a_dropped_name_is_only_a_name(desk_for, alice):
    desk = desk_for(alice).open("/")
    desk.drop((BAD_NAMES[0], b"x")).uploaded(1).expect_names(BAD_NAMES[0])
    expect(desk.page.locator("#uploads .title")).to_have_text(BAD_NAMES[0])


def test_a_user_name_in_a_failed_form(desk_for, scripts):
    desk = desk_for(scripts=scripts).open("/login").sign_in("<img src=x onerror=alert(1)>")
    expect(desk.page.get_by_label("User name")).to_have_value("<img src=x onerror=alert(1)>")
    desk.excuse("status of 401")


def test_the_site_asks_nobody_else(desk_for, alice):
    """Whatever is loaded comes from the server: the desk notes every other request. Here: everything that is loaded."""
    loaded = []
    desk = desk_for(alice)
    desk.page.on("request", lambda request: loaded.append(request.url))
    for address in ("/", "/account", "/login", "/register", "/folder/unknown"):
        desk.open(address)
    assert any("/assets/" in url for url in loaded)
    assert all(url.startswith(desk.coffer.url + "/") for url in loaded), loaded
