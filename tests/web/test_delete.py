"""DELETE /files/{id}: files, folders with all below, and what stays."""
import pytest
from harness import ok, problem, wait_for


@pytest.mark.door
@pytest.mark.route("file_delete")
def test_delete_a_file(alice):
    address = f"/api/v1/files/{alice.file()['id']}"
    ok(alice.delete(address), 204)
    for response in (alice.get(address), alice.get(address + "/info"), alice.delete(address)):
        problem(response, 404, "not-found")
    assert alice.names() == []


@pytest.mark.stores
def test_delete_gives_the_space_back_at_once(alice):
    record = alice.file("a", b"x" * 1000)
    ok(alice.delete(f"/api/v1/files/{record['id']}"), 204)
    assert alice.me()["used"] == 0


@pytest.mark.door
def test_a_folder_goes_with_all_below(alice):
    ok(alice.put("x/y/z/deep", b"1234", parents=1), 201)
    deep = ok(alice.get("/api/v1/content/x/y/z/", headers={"Accept": "application/json"})).json()["items"][0]["id"]
    top = alice.list()["items"][0]["id"]
    ok(alice.delete(f"/api/v1/files/{top}"), 204)
    problem(alice.get(f"/api/v1/files/{deep}"), 404, "not-found")
    problem(alice.get(f"/api/v1/files/{deep}/info"), 404, "not-found")
    problem(alice.content("x/y/z/deep"), 404, "not-found")


def test_nothing_can_be_added_below_a_deleted_folder(alice):
    outer = alice.folder("outer")
    inner = alice.folder("inner", outer["id"])
    ok(alice.delete(f"/api/v1/files/{outer['id']}"), 204)
    for response in (alice.upload(("a", b"x"), parent=inner["id"]), alice.upload(("a", b"x" * 300_000), parent=inner["id"]),
                     alice.post("/api/v1/folders", json={"parent": inner["id"], "name": "x"})):
        assert response.status_code in (404, 409), response.text


@pytest.mark.stores
def test_the_space_of_a_folder_comes_back(alice):
    ok(alice.put("x/y/a", b"1" * 5000, parents=1), 201)
    ok(alice.delete("/api/v1/content/x"), 204)
    assert wait_for(lambda: alice.me()["used"] == 0, step=0.3)


def test_the_root_stays(alice):
    problem(alice.delete(f"/api/v1/files/{alice.root}"), 403, "root-folder")


def test_a_deleted_name_is_free(alice):
    first = alice.file("a", b"1")
    ok(alice.delete(f"/api/v1/files/{first['id']}"), 204)
    second = alice.file("a", b"2")
    assert second["id"] != first["id"] and alice.content("a").content == b"2"


def test_delete_if_match(alice):
    record = alice.file()
    address = f"/api/v1/files/{record['id']}"
    problem(alice.delete(address, headers={"If-Match": '"other"'}), 412, "precondition-failed")
    ok(alice.delete(address, headers={"If-Match": alice.head(address).headers["etag"]}), 204)


def test_delete_needs_a_sign_in(alice, anon):
    problem(anon.delete(f"/api/v1/files/{alice.file()['id']}"), 401, "not-signed-in")
    assert alice.names() == ["a.txt"]


@pytest.mark.stores
def test_gc_removes_the_contents_after_the_grace(server_factory):
    coffer = server_factory(gc_grace="0s")
    alice = coffer.person()
    kept, gone = alice.file("kept", b"k" * 300_000), alice.file("gone", b"g" * 300_000)
    assert len(coffer.blobs()) == 2
    ok(alice.delete(f"/api/v1/files/{gone['id']}"), 204)
    coffer.cli("gc")
    assert len(coffer.blobs()) == 1
    assert ok(alice.get(f"/api/v1/files/{kept['id']}")).content == b"k" * 300_000


@pytest.mark.stores
def test_gc_keeps_the_contents_within_the_grace(server_factory):
    coffer = server_factory(gc_grace="1h")
    alice = coffer.person()
    ok(alice.delete(f"/api/v1/files/{alice.file()['id']}"), 204)
    coffer.cli("gc")
    assert len(coffer.blobs()) == 1
