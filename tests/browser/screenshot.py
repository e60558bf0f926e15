"""docs/screenshot.png: the list of files, as somebody sees it who has used Coffer for a while.

    python tests/browser/screenshot.py [FILE]

Needs what the tests need: a built program (COFFER_BIN), built assets (COFFER_ASSETS), tests/requirements.txt.
"""
import datetime
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from browser.desk import Desk, launch  # noqa: E402
from harness import TOP, Installation, Noise, ok  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

FOLDERS = [
    ("Garden", "2026-09-12 17:20"), ("House", "2026-06-03 09:41"), ("Music", "2026-11-02 20:35"),
    ("Photos 2026", "2026-11-20 22:14"), ("Recipes", "2026-10-18 12:30"),
]
FILES = [
    # name, size, first bytes, last changed
    ("Allotment plan.pdf", 1_843_000, b"%PDF-1.7\n", "2026-03-02 18:24"),
    ("Birthday playlist.m3u", 2_410, b"#EXTM3U\n", "2026-08-30 21:07"),
    ("Budget.ods", 48_300, b"PK\x03\x04", "2026-11-16 19:45"),
    ("First steps.mp4", 24_700_000, b"\0\0\0\x18ftypmp42", "2026-10-04 15:12"),
    ("Letter to Grandma.odt", 31_900, b"PK\x03\x04", "2026-11-08 10:03"),
    ("Sea at dusk.jpg", 4_210_000, b"\xff\xd8\xff\xe0\0\x10JFIF", "2026-07-19 21:38"),
    ("Shopping list.txt", 412, b"Bread\n", "2026-11-21 08:55"),
    ("Tax 2025.zip", 7_350_000, b"PK\x03\x04", "2026-05-28 20:16"),
]


def furnish(person):
    for name, changed in FOLDERS:
        ok(person.request("PATCH", f"/api/v1/files/{person.folder(name)['id']}", json={"modified": changed.replace(" ", "T") + ":00Z"}))
    for name, size, head, changed in FILES:
        when = datetime.datetime.fromisoformat(changed).replace(tzinfo=datetime.timezone.utc).timestamp()
        answer = person.put(name.replace(" ", "%20"), head + Noise(size - len(head), seed=name).read(), mtime=f"{when:.3f}")
        assert answer.status_code == 201, answer.text


def main(out):
    with Installation({"quota.default": "100G"}) as coffer, sync_playwright() as playwright:
        coffer.start()
        anna = coffer.person("anna")
        furnish(anna)
        desk = Desk(launch(playwright), coffer, color_scheme="light").sit_down(anna).open("/")
        desk.page.locator("#list tbody tr").nth(len(FOLDERS + FILES) - 1).wait_for()
        desk.page.screenshot(path=out, animations="disabled")
        desk.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else TOP / "docs" / "screenshot.png")
