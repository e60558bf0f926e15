"""What the script adds to uploading: dropping, progress, several at once, whole folders."""
import os

import pytest
from browser.desk import Desk
from playwright.sync_api import expect


@pytest.fixture
def desk(desk_for, alice):
    return desk_for(alice).open("/")


@pytest.mark.door
def test_dropping_files(desk, alice):
    desk.drop(("a.txt", b"one"), ("b.txt", b"two")).uploaded(2).expect_names("a.txt", "b.txt")
    assert alice.content("b.txt").content == b"two"


def test_dropping_into_a_folder(desk, alice):
    folder = alice.folder("In ä % here")
    desk.open(f"/folder/{folder['id']}").drop(("#1?.txt", b"odd")).uploaded(1).expect_names("#1?.txt")
    assert alice.names(folder["id"]) == ["#1?.txt"]


def tree(folder):
    """A folder as people have them: folders in folders, odd names, something empty."""
    for name, data in TREE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "Holidays" / "empty").mkdir()
    return folder / "Holidays"


TREE = {
    "Holidays/list.txt": b"towel", "Holidays/2026/sea.jpg": b"\xff\xd8\xff", "Holidays/2026/Größe & co/#1?.txt": b"odd",
    "Holidays/2026/100%.txt": b"percent",
}


def below(person, parent=None, path=""):
    """{path: contents} of all files below a folder."""
    found = {}
    for item in person.all(parent):
        if item["kind"] == "folder":
            found |= below(person, item["id"], f"{path}{item['name']}/")
        else:
            found[path + item["name"]] = person.get(f"/api/v1/files/{item['id']}").content
    return found


@pytest.mark.door
@pytest.mark.route("page_upload")
def test_a_folder_by_the_form(desk_for, alice, scripts, tmp_path):
    """It comes with its folders."""
    desk = desk_for(alice, scripts=scripts).open("/").upload_folder(tree(tmp_path)).uploaded(len(TREE))
    desk.expect_names("Holidays").shot(f"uploaded-folder-{desk.way}").enter("Holidays").expect_names("2026", "list.txt")
    assert below(alice) == TREE
    desk.open("/").upload_folder(tmp_path / "Holidays")  # once more: nothing is lost
    if scripts:
        desk.button("Keep both for all").click()
    desk.uploaded(len(TREE))
    assert len(below(alice)) == 2 * len(TREE)


def test_a_folder_by_dragging(desk, alice, tmp_path):
    """What cannot be taken along is named."""
    desk.drop_from_outside(tree(tmp_path)).uploaded(len(TREE)).expect_names("Holidays")
    assert below(alice) == TREE
    expect(desk.page.locator("#alert")).to_contain_text("Holidays/empty")
    desk.shot("dropped-folder")


def test_a_folder_and_a_file_at_once_into_a_folder(desk, alice, tmp_path):
    folder = alice.folder("Here")
    (tmp_path / "beside.txt").write_text("beside")
    desk.open(f"/folder/{folder['id']}").drop_from_outside(tree(tmp_path), tmp_path / "beside.txt").uploaded(len(TREE) + 1)
    assert below(alice, folder["id"]) == TREE | {"beside.txt": b"beside"}


def test_leaving_while_files_are_on_their_way_is_asked_about(desk, alice):
    network = desk.context.new_cdp_session(desk.page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 30_000})
    data = os.urandom(2_000_000)
    desk.upload(("big.bin", data))
    expect(desk.page.locator("#uploads-title")).to_have_text("Uploading 1 of 1")
    with desk.page.expect_event("dialog"):
        desk.page.close(run_before_unload=True)
    desk.excuse("dialog: beforeunload")
    network.send("Network.emulateNetworkConditions", {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})
    desk.uploaded(1)  # the answer was no: it went on
    assert alice.content("big.bin").content == data
    with desk.page.expect_event("close"):  # nothing is on its way any more: nobody asks
        desk.page.close(run_before_unload=True)


def test_progress_is_shown(desk, alice):
    """At 100 kB/s, 3 MB are on their way long enough to be seen."""
    network = desk.context.new_cdp_session(desk.page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000})
    data = os.urandom(3_000_000)
    desk.upload(("big.bin", data))
    row = desk.page.locator("#uploads li")
    expect(desk.page.locator("#uploads-title")).to_have_text("Uploading 1 of 1")
    desk.page.wait_for_function("() => { const v = document.querySelector('#uploads li progress').value; return v > 0.05 && v < 0.95 }")
    expect(row.locator(".state")).to_contain_text("B/s")
    expect(row.locator(".state")).to_contain_text("left")
    desk.shot("progress")
    network.send("Network.emulateNetworkConditions", {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})
    desk.uploaded(1).expect_names("big.bin")
    assert alice.content("big.bin").content == data


@pytest.mark.stores
def test_cancelling_leaves_nothing(desk, alice):
    network = desk.context.new_cdp_session(desk.page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 30_000})
    desk.upload(("big.bin", os.urandom(3_000_000)))
    desk.page.locator("#uploads li").get_by_role("button", name="Cancel").click()
    expect(desk.page.locator("#uploads li")).to_have_count(0)
    assert alice.names() == []


@pytest.mark.parametrize("there", [[], ["big.bin"]], ids=["free", "taken"])
def test_what_is_cancelled_before_it_is_sent_is_not_sent(desk, alice, there):
    """While the server is asked whether the name is free."""
    asked, sent = [], []
    for name in there:
        alice.file(name)
    desk.page.route("**/api/v1/content/big.bin*", lambda route: (asked if route.request.method == "HEAD" else sent).append(route))
    desk.upload(("big.bin", os.urandom(300_000)))
    row = desk.page.locator("#uploads li")
    row.get_by_role("button", name="Cancel").click()
    assert len(asked) == 1
    asked[0].continue_()
    expect(row).to_have_count(0)
    assert sent == [] and alice.names() == there


def test_several_taken_names_are_answered_at_once(desk, alice):
    for name in ("a.txt", "b.txt"):
        alice.file(name, b"old")
    desk.open("/").drop(("a.txt", b"new"), ("b.txt", b"new"))
    desk.shot("conflict")
    desk.button("Skip all").click()
    expect(desk.page.locator("#uploads li")).to_have_count(0)
    assert alice.content("a.txt").content == b"old"


@pytest.mark.stores
def test_a_full_quota_is_said_in_the_row(server_factory, chromium):
    coffer = server_factory(quota_default="1M")
    desk = Desk(chromium, coffer).sit_down(coffer.person()).open("/")
    desk.upload(("big.bin", os.urandom(2_000_000)))
    expect(desk.page.locator("#uploads li.failed .state")).to_contain_text("storage is full")
    desk.shot("quota")
    desk.complaints[:] = [c for c in desk.complaints if "status of 507" not in c and "ERR_" not in c]
    desk.close()
