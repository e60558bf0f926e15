"""Somebody at a browser: Debian's Chromium, driven by Playwright, with an eye on what a person does not see.

    desk = Desk(chromium, coffer, scripts=True)
    desk.sit_down(alice)                      # with the session of a client of harness.py
    desk.open("/").upload("a.txt")

Environment: COFFER_CHROMIUM (the browser; else Debian's chromium-headless-shell, which draws no windows and so needs half of the
processor's time, or its chromium).
"""
import base64
import os
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import axe_playwright_python
from harness import OUT, PASSWORD, PATIENCE_S, HarnessError
from playwright.sync_api import expect

SHOTS = OUT / "screenshots"
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")

PATIENCE_MS = 1000 * PATIENCE_S
expect.set_options(timeout=PATIENCE_MS)

DESKTOP = {"width": 1200, "height": 750}
PHONE = {"width": 360, "height": 740}

# Chromium speaks with nobody but the server under test: no names are looked up, nothing is asked for in the background.
CHROMIUM = [
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-domain-reliability",
    "--disable-client-side-phishing-detection", "--disable-default-apps", "--disable-extensions", "--no-first-run",
    "--no-pings", "--no-proxy-server", "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

# Chromium writes a line for every answer that is an error. These two are questions: is it there, is the name taken?
QUESTIONS = re.compile(r"Failed to load resource: the server responded with a status of (404|412) ")


def launch(playwright):
    named = os.environ.get("COFFER_CHROMIUM") or shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if not named:
        raise HarnessError("no Chromium: install chromium-headless-shell or chromium, or set COFFER_CHROMIUM")
    return playwright.chromium.launch(executable_path=named, headless=True, chromium_sandbox=os.geteuid() != 0, args=CHROMIUM)


class Desk:
    def __init__(self, chromium, coffer, scripts=True, **options):
        self.coffer, self.scripts, self.way = coffer, scripts, "scripts" if scripts else "plain"
        options.setdefault("viewport", DESKTOP)
        self.context = chromium.new_context(base_url=coffer.url, java_script_enabled=scripts, locale="en-GB", timezone_id="UTC",
                                            accept_downloads=True, ignore_https_errors=coffer.tls, **options)
        self.context.set_default_timeout(PATIENCE_MS)
        self.complaints = []  # what the browser said that it should not have had to say
        self.context.on("console", self._console)
        self.context.on("weberror", lambda e: self.complaints.append(f"error: {e.error}"))
        self.context.on("dialog", self._dialog)
        self.context.on("request", self._request)
        self.page = self.context.new_page()
        self.page.on("filechooser", lambda chooser: None)  # Chromium hands choosers over from now on; asked at the key press, it may be too late

    # ---- what nobody should see
    def _console(self, message):
        if message.type in ("error", "warning") and not QUESTIONS.match(message.text):
            self.complaints.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _dialog(self, dialog):
        self.complaints.append(f"dialog: {dialog.type} {dialog.message}")
        dialog.dismiss()

    def _request(self, request):
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob", "about") and f"{address.scheme}://{address.netloc}" != self.coffer.url:
            self.complaints.append(f"request to elsewhere: {request.url}")

    def excuse(self, pattern):
        """Take out complaints that this test provokes; there must be one."""
        kept = [c for c in self.complaints if not re.search(pattern, c)]
        assert len(kept) < len(self.complaints), (pattern, self.complaints)
        self.complaints[:] = kept
        return self

    def close(self):
        self.context.close()
        assert not self.complaints, self.complaints

    # ---- going about
    def sit_down(self, person):
        """With the session that the client has, and without its signing in by a form."""
        self.context.add_cookies([{"name": self.coffer.cookie, "value": person.cookie, "url": self.coffer.url}])
        return self

    def open(self, path="/"):
        self.page.goto(path)
        return self

    def text(self):
        return " ".join(self.page.locator("body").inner_text().split())

    def heading(self, text):
        """The page's, whatever dialog is opening or closing over it."""
        expect(self.page.locator("h1:not(dialog h1)")).to_have_text(text)
        return self

    def button(self, name, **options):
        return self.page.get_by_role("button", name=name, exact=True, **options)

    def link(self, name, **options):
        return self.page.get_by_role("link", name=name, exact=True, **options)

    def shot(self, name):
        """Keep what the page looks like, for a person to look at."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True, animations="disabled")
        return self

    # ---- accounts
    def register(self, name, password=PASSWORD):
        self.open("/register")
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.button("Create account").click()
        return self

    def sign_in(self, name, password=PASSWORD):
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.button("Sign in").click()
        return self

    # ---- the list of a folder
    def find(self, part):
        """By the field above the list."""
        field = self.page.get_by_role("searchbox", name="Find a name in this folder")
        field.fill(part)
        if not self.scripts:
            self.button("Find").click()
        expect(field).to_have_value(part)
        return self

    def drag(self, name, onto):
        """A row of the list onto something, with the mouse."""
        self.row(name).locator("a.entry").drag_to(onto)
        return self

    def row(self, name):
        exactly = re.compile(rf"^{re.escape(name)}$")
        return self.page.locator("#list tbody tr").filter(has=self.page.locator("bdi.name", has_text=exactly))

    def names(self):
        return self.page.locator("#list tbody bdi.name").all_inner_texts()

    def expect_names(self, *names):
        expect(self.page.locator("#list tbody bdi.name")).to_have_text(list(names))
        return self

    def enter(self, folder):
        self.row(folder).locator("a.entry").click()
        return self.heading(folder)

    def upload(self, *files, conflict=None):
        """By the button: the browser's own file chooser with scripts, the form without. files: (name, bytes[, type])."""
        chosen = [{"name": f[0], "buffer": f[1], "mimeType": f[2] if len(f) > 2 else "application/octet-stream"} for f in files]
        if self.scripts:
            with self.page.expect_file_chooser() as chooser:
                self.button("Upload").click()
            chooser.value.set_files(chosen)
            return self
        self.page.locator("#upload > summary").click()
        form = self.page.locator("#upload form")
        if conflict:
            form.locator("select").select_option(conflict)
        form.locator("#file").set_input_files(chosen)
        form.get_by_role("button", name="Upload").click()
        return self

    def upload_folder(self, path):
        """A folder of this machine, by the browser's own chooser with scripts, by the form without."""
        if self.scripts:
            with self.page.expect_file_chooser() as chooser:
                self.button("Upload folder").click()
            chooser.value.set_files(path)
            return self
        self.page.locator("#upload > summary").click()
        form = self.page.locator("#upload form")
        form.get_by_label("or a whole folder").set_input_files(path)
        form.get_by_role("button", name="Upload").click()
        return self

    def drop_from_outside(self, *paths):
        """As the window system does it, and so with whole folders."""
        chrome = self.context.new_cdp_session(self.page)
        box = self.page.locator("#list").bounding_box()
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for event in ("dragEnter", "dragOver", "drop"):
            chrome.send("Input.dispatchDragEvent", {"type": event, "x": box["x"] + 20, "y": box["y"] + 20, "data": data})
        expect(self.page.locator("#drop")).to_be_hidden()
        return self

    def uploaded(self, n):
        if self.scripts:
            expect(self.page.locator("#uploads-title")).to_have_text(f"Uploaded: {n}")
        else:
            expect(self.page.get_by_role("status").first).to_have_text(f"Files uploaded: {n}")
        return self

    def drop(self, *files):
        """Drag files (name, bytes) from outside onto the page and let go."""
        data = self.page.evaluate_handle(
            """files => {
                 const carried = new DataTransfer();
                 for (const [name, base64] of files)
                   carried.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
                 return carried;
               }""", [[name, base64.b64encode(data).decode()] for name, data in files])
        for event in ("dragenter", "dragover"):
            self.page.dispatch_event("#list", event, {"dataTransfer": data})
        expect(self.page.locator("#drop")).to_be_visible()
        self.page.dispatch_event("#list", "drop", {"dataTransfer": data})
        expect(self.page.locator("#drop")).to_be_hidden()
        return self

    def new_folder(self, name):
        self.page.locator("summary", has_text="New folder").click()
        self.page.get_by_label("Name of the new folder").fill(name)
        self.button("Create").click()
        return self

    def download(self, name):
        with self.page.expect_download() as started:
            self.page.get_by_role("link", name=f"Download {name}", exact=True).click()
        assert started.value.suggested_filename == name
        return Path(started.value.path()).read_bytes()

    def act(self, name, what):
        """By the row's menu, or on the page that its three dots lead to."""
        self.page.get_by_role("link", name=f"More: {name}", exact=True).click()
        if self.scripts:
            self.row(name).locator(".menu").get_by_text(what, exact=True).click()
        else:
            self.heading(name).link(what).click()
        return self

    def tick(self, *names):
        for name in names:
            self.page.get_by_label(f"Select {name}", exact=True).check()
        return self

    def bar(self, what):
        """A button of the bar that appears when something is ticked."""
        self.page.get_by_role("group", name="Selected files and folders").get_by_role("button", name=what, exact=True).click()
        return self

    def into(self, *folders, go):
        """Through the folders of the page or dialog that asks where to."""
        for folder in folders:
            self.page.locator("#pick .where").get_by_role("button", name=folder, exact=True).click()
            expect(self.page.locator("#pick [aria-current=page]")).to_have_text(folder)
        self.page.locator("#pick").get_by_role("button", name=go, exact=True).click()
        return self

    def noticed(self, text):
        expect(self.page.locator("#notice")).to_have_text(text)
        return self

    def delete(self, name, sure=True):
        self.act(name, "Delete")
        asked = self.page.get_by_role("dialog") if self.scripts else self.page.locator("main")
        expect(asked.get_by_role("heading", name="Delete for good?")).to_be_visible()
        expect(asked.locator("bdi.name")).to_have_text(name)
        asked.get_by_role("button", name="Delete", exact=True).click() if sure else asked.get_by_text("Cancel", exact=True).click()
        return self

    # ---- accessibility
    def axe(self):
        """What axe-core finds in the page as it is now: [(rule, elements)]."""
        assert self.scripts, "axe is a script itself"
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("""() => axe.run(document, {
            runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]})""")
        return [(v["id"], [n["html"][:200] + " | " + (n.get("failureSummary") or "") for n in v["nodes"]]) for v in found["violations"]]
