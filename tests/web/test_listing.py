"""GET /files: order, pages, cursors. POST /folders."""
import pytest
from harness import ok, problem


@pytest.fixture
def three(alice):
    """Two folders and four files whose orders all differ."""
    alice.folder("beta")
    alice.folder("Alpha")
    for name, data, when in (("c.txt", b"1", "2021"), ("B.png", b"22", "2023"), ("a.txt", b"333", "2022"), ("d.txt", b"22", "2020")):
        ok(alice.upload((name, data), mtime=f"{when}-01-01T00:00:00Z"), 201)
    return alice


@pytest.mark.route("file_list")
@pytest.mark.parametrize("query, names", [
    ({}, ["Alpha", "beta", "a.txt", "B.png", "c.txt", "d.txt"]),
    ({"sort": "name", "order": "desc"}, ["beta", "Alpha", "d.txt", "c.txt", "B.png", "a.txt"]),
    ({"sort": "modified"}, ["d.txt", "c.txt", "a.txt", "B.png"]),
    ({"sort": "modified", "order": "desc"}, ["B.png", "a.txt", "c.txt", "d.txt"]),
])
@pytest.mark.stores
def test_order(three, query, names):
    got = three.names(**query)
    assert [n for n in got if n in names] == names
    assert set(got[:2]) == {"Alpha", "beta"}, "folders come first"


@pytest.mark.stores
def test_order_by_size(three):
    sizes = [i["size"] for i in three.list(sort="size")["items"]]
    assert sizes == [None, None, 1, 2, 2, 3]
    assert [i["size"] for i in three.list(sort="size", order="desc")["items"]] == [None, None, 3, 2, 2, 1]


@pytest.mark.stores
def test_order_by_type(three):
    types = [i["type"] for i in three.list(sort="type")["items"][2:]]
    assert types == sorted(types)


@pytest.mark.door
@pytest.mark.parametrize("sort", ["name", "size", "modified", "type"])
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_give_everything_once_in_the_same_order(three, sort, order, limit):
    whole = [i["id"] for i in three.list(sort=sort, order=order)["items"]]
    assert [i["id"] for i in three.all(sort=sort, order=order, limit=limit)] == whole


@pytest.mark.stores
def test_ties_are_broken_by_id(alice):
    for n in range(6):
        ok(alice.upload((f"{n}", b"same"), mtime="2020-01-01T00:00:00Z"), 201)
    ids = [i["id"] for i in alice.all(sort="size", limit=2)]
    assert ids == sorted(ids)


def test_a_list_has_100_by_default_and_1000_at_most(alice):
    for n in range(0, 250, 50):
        ok(alice.upload(*[(f"{i:03}", b"") for i in range(n, n + 50)]), 201)
    page = alice.list()
    assert len(page["items"]) == 100 and page["next"]
    assert len(alice.list(limit=1000)["items"]) == 250
    assert [i["name"] for i in alice.all(limit=60)] == [f"{i:03}" for i in range(250)]


def test_the_last_page_has_no_next(alice):
    alice.file("a")
    alice.file("b")
    assert alice.list(limit=2)["next"] is None and alice.list(limit=1)["next"]


def test_a_cursor_carries_everything_needed(three):
    first = three.list(sort="size", order="desc", limit=3)
    rest = ok(three.get("/api/v1/files", params={"cursor": first["next"]})).json()["items"]
    whole = three.list(sort="size", order="desc")["items"]
    assert [i["id"] for i in first["items"] + rest] == [i["id"] for i in whole]


@pytest.mark.stores
def test_what_is_added_and_deleted_between_pages_disturbs_nothing(alice):
    for name in "bdfh":
        alice.file(name)
    page = alice.list(limit=2)
    ok(alice.delete("/api/v1/content/b"), 204)
    alice.file("a")
    alice.file("e")
    rest = alice.list(cursor=page["next"])["items"]
    assert [i["name"] for i in rest] == ["e", "f", "h"]


@pytest.mark.parametrize("cursor", ["x", "", "AAAA", "%00", "Zm9v", "0" * 5000, "eyJ9", "é"])
def test_a_malformed_cursor(alice, cursor):
    problem(alice.get("/api/v1/files", params={"cursor": cursor}), 400, "bad-cursor")


@pytest.mark.stores
def test_a_cursor_of_somebody_else_shows_nothing_of_theirs(alice, bob):
    for name in ("a1", "a2", "a3"):
        alice.file(name)
    cursor = alice.list(limit=1)["next"]
    response = bob.get("/api/v1/files", params={"cursor": cursor})
    assert response.status_code in (400, 404) or response.json()["items"] == []


@pytest.mark.parametrize("field, value", [("limit", "0"), ("limit", "1001"), ("limit", "-1"), ("limit", "x"), ("limit", "1e2"),
                                          ("limit", "99999999999999999999"), ("sort", "colour"), ("order", "up"), ("parent", "x")])
def test_a_wrong_field(alice, field, value):
    assert problem(alice.get("/api/v1/files", params={field: value}), 422, "invalid-field")["field"] == field


def test_an_unknown_field(alice):
    assert problem(alice.get("/api/v1/files", params={"colour": "red"}), 422, "unknown-field")["field"] == "colour"


def test_a_field_sent_twice(alice):
    assert problem(alice.get("/api/v1/files?limit=1&limit=2"), 400, "duplicate-field")["field"] == "limit"


def test_list_of_a_file(alice):
    problem(alice.get("/api/v1/files", params={"parent": alice.file()["id"]}), 409, "not-a-folder")


def test_list_of_nothing(alice):
    problem(alice.get("/api/v1/files", params={"parent": "0" * 32}), 404, "not-found")


def test_list_needs_a_sign_in(anon):
    problem(anon.get("/api/v1/files"), 401, "not-signed-in")


def test_lists_are_not_stored_by_caches(alice):
    assert "no-store" in alice.get("/api/v1/files").headers["cache-control"]


# ---- folders
@pytest.mark.door
@pytest.mark.route("folder_create")
def test_make_a_folder(alice):
    response = ok(alice.post("/api/v1/folders", json={"parent": alice.root, "name": "docs"}), 201)
    record = response.json()
    assert (record["kind"], record["name"], record["parent"], record["size"]) == ("folder", "docs", alice.root, None)
    assert alice.list()["items"] == [record]


def test_folders_in_folders(alice):
    outer = alice.folder("outer")
    inner = alice.folder("inner", outer["id"])
    assert inner["parent"] == outer["id"] and alice.names(outer["id"]) == ["inner"] and alice.names() == ["outer"]


def test_the_parent_is_the_root_when_not_told(alice):
    record = ok(alice.post("/api/v1/folders", json={"name": "docs"}), 201).json()
    assert record["parent"] == alice.root


@pytest.mark.parametrize("make", ["folder", "file"])
def test_a_taken_name(alice, make):
    getattr(alice, make)("docs")
    problem(alice.post("/api/v1/folders", json={"parent": alice.root, "name": "docs"}), 409, "name-taken")


def test_a_folder_below_a_file(alice):
    problem(alice.post("/api/v1/folders", json={"parent": alice.file()["id"], "name": "x"}), 409, "not-a-folder")


def test_a_folder_below_nothing(alice):
    response = alice.post("/api/v1/folders", json={"parent": "0" * 32, "name": "x"})
    assert (response.status_code, response.json()["code"]) in ((404, "not-found"), (409, "no-parent"))


def test_folders_nest_128_levels_and_no_more(alice):
    parent = alice.root
    for depth in range(1, 129):
        response = alice.post("/api/v1/folders", json={"parent": parent, "name": "f"})
        if response.status_code != 201:
            break
        parent = response.json()["id"]
    else:
        response = alice.post("/api/v1/folders", json={"parent": parent, "name": "f"})
    assert depth >= 126
    problem(response, 409, "too-nested")
    ok(alice.get("/api/v1/files", params={"parent": parent}))


def test_a_path_has_at_most_4096_bytes(alice):
    parent = alice.root
    for _ in range(20):
        response = alice.post("/api/v1/folders", json={"parent": parent, "name": "n" * 255})
        if response.status_code != 201:
            break
        parent = response.json()["id"]
    problem(response, 409, "too-nested")


@pytest.mark.parametrize("field", ["name"])
def test_a_missing_field(alice, field):
    assert problem(alice.post("/api/v1/folders", json={}), 422, "missing-field")["field"] == field
