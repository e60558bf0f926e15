"""The page about a file shows what is in it: pictures, sound, moving pictures and text, and never as more than that."""
import base64
import io
import math
import os
import struct
import wave

import pytest
from browser.desk import Desk
from playwright.sync_api import expect

HTML = "<!doctype html><script>document.title = 'ran'; alert(1)</script><img src=x onerror=alert(2)>"


def open_row(desk, name):
    desk.open("/").row(name).locator("a.entry").click()
    return desk.heading(name)


def tone():
    out = io.BytesIO()
    with wave.open(out, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(8000)
        w.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(i / 4))) for i in range(16000)))
    return out.getvalue()


def film(desk):
    """Half a second of a growing square, recorded by the browser itself."""
    return base64.b64decode(desk.page.evaluate("""() => new Promise((resolve) => {
        const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 90 });
        const pen = canvas.getContext("2d"), pieces = [];
        const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
        const timer = setInterval(() => pen.fillRect(0, 0, Math.random() * 160, 90), 40);
        recorder.ondataavailable = (event) => pieces.push(event.data);
        recorder.onstop = async () => {
          clearInterval(timer);
          const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
          resolve(btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join("")));
        };
        recorder.start();
        setTimeout(() => recorder.stop(), 500);
      })"""))


def test_a_picture(desk_for, alice, scripts):
    desk = desk_for(alice, scripts=scripts).open("/")
    alice.file("list.png", desk.page.screenshot())
    open_row(desk, "list.png")
    picture = desk.page.get_by_role("img", name="list.png")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 1200)
    desk.shot(f"preview-image-{desk.way}")
    assert not desk.scripts or not desk.axe()
    desk.link("Files").click()
    desk.heading("Files")


def test_sound(desk_for, alice):
    alice.file("tone.wav", tone())
    desk = open_row(desk_for(alice), "tone.wav")
    sound = desk.page.locator("audio")
    desk.page.wait_for_function("() => document.querySelector('audio').readyState > 0")
    expect(sound).to_have_js_property("duration", 2)
    desk.shot("preview-audio")
    assert not desk.axe()


def test_moving_pictures(desk_for, alice):
    desk = desk_for(alice).open("/")
    alice.file("film.webm", film(desk))
    open_row(desk, "film.webm")
    desk.page.wait_for_function("() => document.querySelector('video').readyState > 0")
    expect(desk.page.locator("video")).to_have_js_property("videoWidth", 160)
    desk.shot("preview-video")
    assert not desk.axe()


@pytest.mark.parametrize("name", ["notes.txt", "page.html", "drawing.svg", "data.json", "table.csv"])
def test_text_is_text(desk_for, alice, name, scripts):
    alice.file(name, HTML.encode())
    desk = open_row(desk_for(alice, scripts=scripts), name)
    expect(desk.page.locator("#text")).to_have_text(HTML)
    expect(desk.page.locator("#text-cut")).to_be_hidden()
    assert desk.page.locator("#text *").count() == 0 and desk.page.title() != "ran"
    desk.shot(f"preview-{name}-{desk.way}")
    assert not desk.scripts or not desk.axe()


def test_a_long_text_is_cut_between_characters(desk_for, alice):
    alice.file("long.txt", "ä".encode() * 200_000 + b"the end")
    desk = open_row(desk_for(alice), "long.txt")
    expect(desk.page.locator("#text-cut")).to_be_visible()
    assert desk.page.locator("#text").text_content() == "ä" * (256 * 1024 // 2)


def test_a_cut_character_is_left_out(desk_for, alice):
    alice.file("long.txt", b"x" + "ä".encode() * 200_000)
    desk = open_row(desk_for(alice), "long.txt")
    expect(desk.page.locator("#text-cut")).to_be_visible()
    assert desk.page.locator("#text").text_content() == "x" + "ä" * ((256 * 1024 - 1) // 2)


def test_an_empty_text(desk_for, alice):
    alice.file("empty.txt", b"")
    desk = open_row(desk_for(alice), "empty.txt")
    expect(desk.page.locator("#text")).to_have_text("")
    expect(desk.page.locator("#text-cut, #text-failed")).to_have_count(0)


def test_odd_bytes_are_shown_as_far_as_they_are_text(desk_for, alice, scripts):
    alice.file("odd.txt", b"\n\xef\xbb\xbffirst\r\n\0\x1b[31m caf\xe9 \xe2\x82\xac</pre><b>\n")
    desk = open_row(desk_for(alice, scripts=scripts), "odd.txt")
    assert desk.page.locator("#text").text_content() == "\n\ufefffirst\n\ufffd\ufffd[31m caf\ufffd €</pre><b>\n"


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_contents_that_are_lost_are_told(server_factory, chromium, scripts, damage):
    """And the page is there all the same, with what is known of the file."""
    coffer = server_factory()
    alice = coffer.person()
    alice.file("notes.txt", b"secret contents")
    blob, = coffer.blobs()
    blob.unlink() if damage == "gone" else os.truncate(blob, 3)
    desk = Desk(chromium, coffer, scripts=scripts).sit_down(alice)
    open_row(desk, "notes.txt")
    expect(desk.page.locator("#text-failed")).to_be_visible()
    expect(desk.page.get_by_text("15 B")).to_be_visible()
    desk.close()


# ---------------------------------------------------------------- the files beside it
def test_from_one_to_the_next(desk_for, alice, scripts):
    for name in ("b.txt", "a.txt", "c.txt"):
        alice.file(name, name.encode())
    alice.folder("folder")
    desk = open_row(desk_for(alice, scripts=scripts), "a.txt")
    beside = desk.page.get_by_role("navigation", name="Files beside this one")
    expect(beside.get_by_role("link")).to_have_text(["Next: b.txt"])
    desk.link("Next: b.txt").click()
    desk.heading("b.txt")
    expect(beside.get_by_role("link")).to_have_text(["Previous: a.txt", "Next: c.txt"])
    desk.shot(f"beside-{desk.way}")
    desk.link("Next: c.txt").click()
    desk.heading("c.txt")
    expect(beside.get_by_role("link")).to_have_text(["Previous: b.txt"])
    desk.link("Previous: b.txt").click()
    desk.heading("b.txt")


def test_the_next_one_is_that_of_the_list(desk_for, alice, scripts):
    for name, size in (("a.txt", 2), ("b.txt", 3), ("c.txt", 1)):
        alice.file(name, b"x" * size)
    desk = desk_for(alice, scripts=scripts).open("/?sort=size&order=desc").expect_names("b.txt", "a.txt", "c.txt")
    desk.row("b.txt").locator("a.entry").click()
    desk.heading("b.txt").link("Next: a.txt").click()
    desk.heading("a.txt").link("Next: c.txt").click()
    desk.heading("c.txt")
    assert desk.link("Next: a.txt").count() == 0


def test_the_arrow_keys_lead_to_the_next_one(desk_for, alice):
    for name in ("a.png", "b.png", "c.txt"):
        alice.file(name, b"\x89PNG")
    desk = open_row(desk_for(alice), "a.png")
    for key, name in (("ArrowRight", "b.png"), ("ArrowRight", "c.txt"), ("ArrowRight", "c.txt"), ("ArrowLeft", "b.png")):
        desk.page.keyboard.press(key)
        desk.heading(name)


def test_what_has_no_preview_says_so(desk_for, alice, scripts):
    alice.file("noise.bin", b"\0\1\2")
    desk = open_row(desk_for(alice, scripts=scripts), "noise.bin")
    expect(desk.page.get_by_text("No preview for this kind of file.")).to_be_visible()
    with desk.page.expect_download() as started:
        desk.link("Download").click()
    assert started.value.suggested_filename == "noise.bin"


def test_somebody_elses_file_has_no_page(desk_for, alice, bob):
    file = alice.file("diary.txt", b"secret")
    desk = desk_for(bob).open(f"/file/{file['id']}")
    assert "diary" not in desk.text() and "secret" not in desk.text()
    expect(desk.page.get_by_text("It may have been deleted or moved")).to_be_visible()
