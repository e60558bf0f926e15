"""PATCH, copy, batch: renaming, moving, copying, many at once."""
import pytest
from harness import ok, problem, sha256


def change(person, node, headers=None, **fields):
    return person.request("PATCH", f"/api/v1/files/{node}", json=fields, headers=headers)


def copy(person, node, headers=None, **fields):
    return person.post(f"/api/v1/files/{node}/copy", json=fields, headers=headers)


def batch(person, **fields):
    return person.post("/api/v1/batch", json=fields)


# ---------------------------------------------------------------- PATCH
@pytest.mark.door
@pytest.mark.route("file_change")
def test_rename(alice):
    record = alice.file("a.txt", b"hello")
    changed = ok(change(alice, record["id"], name="b.txt")).json()
    assert changed == record | {"name": "b.txt", "sha256": changed["sha256"]}
    assert alice.names() == ["b.txt"] and alice.content("b.txt").content == b"hello"
    problem(alice.content("a.txt"), 404, "not-found")


@pytest.mark.door
def test_move(alice):
    record, folder = alice.file(), alice.folder("to")
    assert ok(change(alice, record["id"], parent=folder["id"])).json()["parent"] == folder["id"]
    assert alice.names(folder["id"]) == ["a.txt"] and alice.names() == ["to"]
    assert alice.content("to/a.txt").content == b"hello"


def test_a_folder_moves_with_all_below(alice):
    ok(alice.put("from/deep/a", b"1", parents=1), 201)
    to, moved = alice.folder("to"), next(i for i in alice.list()["items"] if i["name"] == "from")
    ok(change(alice, moved["id"], parent=to["id"], name="new"))
    assert alice.content("to/new/deep/a").content == b"1"


@pytest.mark.parametrize("value", ["2020-02-29T12:00:00.123Z", 1582977600.123, "1582977600.123"])
def test_the_time(alice, value):
    record = alice.file()
    assert ok(change(alice, record["id"], modified=value)).json()["modified"] == "2020-02-29T12:00:00.123Z"
    answer = alice.get(f"/api/v1/files/{record['id']}")
    assert answer.headers["last-modified"] == "Sat, 29 Feb 2020 12:00:00 GMT"


def test_absent_is_unchanged(alice):
    record = alice.file()
    assert ok(change(alice, record["id"])).json() == record


@pytest.mark.stores
def test_names_are_normalised(alice):
    record = alice.file()
    assert ok(change(alice, record["id"], name="e\u0301")).json()["name"] == "\u00e9"


@pytest.mark.stores
def test_only_the_case_changes(alice):
    record = alice.file("a.txt")
    assert ok(change(alice, record["id"], name="A.TXT")).json()["name"] == "A.TXT"


def test_a_taken_name(alice):
    record, _ = alice.file("a"), alice.file("b")
    problem(change(alice, record["id"], name="b"), 409, "name-taken")


@pytest.mark.stores
def test_no_cycles(alice):
    outer = alice.folder("outer")
    inner = alice.folder("inner", outer["id"])
    problem(change(alice, outer["id"], parent=outer["id"]), 409, "cycle")
    problem(change(alice, outer["id"], parent=inner["id"]), 409, "cycle")


def test_the_root_stays(alice):
    problem(change(alice, alice.root, name="x"), 403, "root-folder")
    problem(change(alice, alice.root, parent=alice.folder("x")["id"]), 403, "root-folder")


def test_into_a_file_or_nowhere(alice):
    record, other = alice.file("a"), alice.file("b")
    problem(change(alice, record["id"], parent=other["id"]), 409, "not-a-folder")
    problem(change(alice, record["id"], parent="0" * 31 + "1"), 404, "not-found")


@pytest.mark.parametrize("fields, code", [({"name": "a/b"}, "bad-name"), ({"name": ""}, "bad-name"), ({"name": 5}, "bad-name"),
                                          ({"parent": "../x"}, "invalid-field"), ({"modified": "soon"}, "invalid-field"),
                                          ({"size": 5}, "unknown-field"), ({"name": None}, "bad-name")])
def test_wrong_fields(alice, fields, code):
    problem(change(alice, alice.file()["id"], **fields), 422, code)


def test_if_match(alice):
    record = alice.file()
    problem(change(alice, record["id"], headers={"If-Match": '"other"'}, name="b"), 412, "precondition-failed")
    ok(change(alice, record["id"], headers={"If-Match": record["etag"]}, name="b"))


def test_somebody_elses(alice, bob):
    hers, his = alice.file(), bob.folder("his")
    problem(change(bob, hers["id"], name="x"), 404, "not-found")
    problem(change(alice, hers["id"], parent=his["id"]), 404, "not-found")
    problem(copy(bob, hers["id"], parent=bob.root), 404, "not-found")
    problem(copy(alice, hers["id"], parent=his["id"]), 404, "not-found")
    assert [i["status"] for i in ok(batch(bob, delete=[hers["id"]])).json()["items"]] == [404]
    assert alice.names() == ["a.txt"] and bob.names(his["id"]) == []


def test_nobody(anon, alice):
    node = alice.file()["id"]
    for answer in (change(anon, node, name="x"), copy(anon, node, name="x"), batch(anon, delete=[node])):
        problem(answer, 401, "not-signed-in")


# ---------------------------------------------------------------- copy
@pytest.mark.door
@pytest.mark.route("file_copy")
def test_copy_a_file(server, alice):
    record = alice.file("a.txt", b"x" * 1000)
    before = len(list(server.blobs()))
    answer = ok(copy(alice, record["id"], name="b.txt"), 201)
    twin = answer.json()
    assert answer.headers["location"] == f"/api/v1/files/{twin['id']}/info" and answer.headers["etag"] == record["etag"]
    assert twin["id"] != record["id"] and twin["etag"] == record["etag"] and twin["modified"] == record["modified"]
    assert alice.content("b.txt").content == b"x" * 1000
    assert alice.me()["used"] == 2000 and len(list(server.blobs())) == before


@pytest.mark.stores
def test_the_copy_outlives_the_original(alice):
    record = alice.file("a.txt", b"kept")
    ok(copy(alice, record["id"], name="b.txt"), 201)
    ok(alice.delete(f"/api/v1/files/{record['id']}"), 204)
    assert alice.content("b.txt").content == b"kept" and alice.me()["used"] == 4


@pytest.mark.stores
def test_copies_part_when_one_is_replaced(alice):
    record = alice.file("a.txt", b"old")
    ok(copy(alice, record["id"], name="b.txt"), 201)
    ok(alice.put("a.txt", b"new"))
    assert alice.content("a.txt").content == b"new" and alice.content("b.txt").content == b"old"


@pytest.mark.stores
def test_copy_a_folder(alice):
    ok(alice.put("from/deep/a", b"12345", parents=1), 201)
    ok(alice.put("from/b", b"67"), 201)
    source, to = alice.list()["items"][0], alice.folder("to")
    twin = ok(copy(alice, source["id"], parent=to["id"]), 201).json()
    assert twin["kind"] == "folder" and twin["name"] == "from" and twin["parent"] == to["id"]
    assert alice.content("to/from/deep/a").content == b"12345" and alice.content("to/from/b").content == b"67"
    assert alice.me()["used"] == 14
    usage = ok(alice.get(f"/api/v1/files/{twin['id']}/info", params={"usage": 1})).json()["usage"]
    assert usage == {"files": 2, "folders": 1, "size": 7}


def test_copy_into_itself(alice):
    outer = alice.folder("outer")
    inner = alice.folder("inner", outer["id"])
    assert "copied" in problem(copy(alice, outer["id"], parent=outer["id"], name="x"), 409, "cycle")["detail"]
    problem(copy(alice, outer["id"], parent=inner["id"]), 409, "cycle")


def test_copy_beside_the_original(alice):
    record = alice.file("a.txt")
    problem(copy(alice, record["id"]), 409, "name-taken")
    assert ok(copy(alice, record["id"], conflict="rename"), 201).json()["name"] == "a (1).txt"
    assert ok(copy(alice, record["id"], conflict="rename"), 201).json()["name"] == "a (2).txt"
    problem(copy(alice, record["id"], conflict="replace"), 422, "invalid-field")


@pytest.mark.stores
def test_copies_count_for_the_quota(server_factory):
    coffer = server_factory(quota_default="1000")
    person = coffer.person()
    record = person.file("a", b"x" * 400)
    ok(copy(person, record["id"], name="b"), 201)
    assert problem(copy(person, record["id"], name="c"), 507, "quota-exceeded")["limit"] == 200
    assert person.me()["used"] == 800 and person.names() == ["a", "b"]
    assert coffer.fsck().returncode == 0


def test_copy_if_match(alice):
    record = alice.file()
    problem(copy(alice, record["id"], headers={"If-Match": '"x"'}, name="b"), 412, "precondition-failed")
    ok(copy(alice, record["id"], headers={"If-Match": record["etag"]}, name="b"), 201)


# ---------------------------------------------------------------- batch
@pytest.mark.door
@pytest.mark.route("batch")
def test_batch_moves_each_with_its_own_result(alice):
    to, one, two = alice.folder("to"), alice.file("one"), alice.file("two")
    alice.file("two", parent=to["id"])
    items = ok(batch(alice, move=[one["id"], two["id"], "0" * 32, to["id"]], parent=to["id"])).json()["items"]
    assert [i["status"] for i in items] == [200, 409, 404, 409]
    assert [i.get("code") for i in items] == [None, "name-taken", "not-found", "cycle"]
    assert [i["id"] for i in items] == [one["id"], two["id"], "0" * 32, to["id"]]
    assert items[0]["parent"] == to["id"] and items[1]["title"] and items[1]["detail"]
    assert alice.names(to["id"]) == ["one", "two"] and alice.names() == ["to", "two"]


@pytest.mark.stores
def test_batch_deletes(alice):
    one, two, folder = alice.file("one"), alice.file("two"), alice.folder("folder")
    items = ok(batch(alice, delete=[one["id"], folder["id"], one["id"], alice.root])).json()["items"]
    assert [i["status"] for i in items] == [204, 204, 404, 403]
    assert alice.names() == ["two"] and two["id"] not in [i["id"] for i in items]


@pytest.mark.stores
def test_batch_copies(alice):
    to, one = alice.folder("to"), alice.file("one", b"abc")
    items = ok(batch(alice, copy=[one["id"], one["id"]], parent=to["id"])).json()["items"]
    assert [i["status"] for i in items] == [201, 409] and items[0]["sha256"] == sha256(b"abc")
    items = ok(batch(alice, copy=[one["id"]], parent=to["id"], conflict="rename")).json()["items"]
    assert items[0]["name"] == "one (1)" and alice.names(to["id"]) == ["one", "one (1)"]


@pytest.mark.parametrize("fields, code", [
    ({}, "missing-field"), ({"delete": []}, "invalid-field"), ({"delete": "x"}, "invalid-field"), ({"delete": [5]}, "invalid-field"),
    ({"delete": ["0" * 32], "move": ["0" * 32], "parent": "0" * 32}, "invalid-field"), ({"move": ["0" * 32]}, "missing-field"),
    ({"copy": ["0" * 32]}, "missing-field"), ({"delete": ["0" * 32] * 1001}, "invalid-field"), ({"purge": ["0" * 32]}, "unknown-field")])
def test_batch_wants_exactly_one_verb(alice, fields, code):
    problem(batch(alice, **fields), 422, code)
