"""PUT, GET, HEAD and DELETE /content/{path}: files by path, as scripts use them."""
import hashlib
import unicodedata

import pytest
from harness import Noise, Page, ok, problem, sha256, wait_for

M = 1 << 20


@pytest.mark.door
@pytest.mark.route("content_put")
def test_put_makes_a_file(alice):
    response = ok(alice.put("notes.txt", b"hello"), 201)
    record = response.json()
    assert record["name"] == "notes.txt" and record["size"] == 5 and record["kind"] == "file"
    assert response.headers["etag"].strip('"') == record["etag"].strip('"')
    assert response.headers["location"].startswith(("/api/v1/", alice.coffer.url + "/api/v1/"))
    assert ok(alice.get(response.headers["location"])).content == b"hello"


@pytest.mark.door
def test_put_again_replaces(alice):
    first = ok(alice.put("a", b"one"), 201)
    second = ok(alice.put("a", b"three"), 200)
    assert second.json()["id"] == first.json()["id"] and second.headers["etag"] != first.headers["etag"]
    assert alice.content("a").content == b"three" and alice.me()["used"] == 5


def test_the_record_of_a_file(alice):
    record = alice.put("a.txt", b"hello").json()
    assert set(record) == {"id", "kind", "name", "parent", "space", "size", "type", "etag", "sha256", "created", "modified"}
    me = alice.me()
    assert (record["parent"], record["space"], record["type"]) == (me["root"], me["space"], "text/plain")


@pytest.mark.door
@pytest.mark.parametrize("way", ["length", "chunked"])
@pytest.mark.parametrize("size", [0, 1, 199 << 10, 200 << 10, (200 << 10) + 1, 201 << 10, 5 * M])
def test_any_size_comes_back_byte_for_byte(alice, size, way):
    noise = Noise(size)
    data = noise.read()
    record = ok(alice.put("f.bin", data if way == "length" else iter([data[:1000], data[1000:]])), 201).json()
    assert record["size"] == size
    back = ok(alice.content("f.bin"))
    assert int(back.headers["content-length"]) == size and sha256(back.content) == sha256(data)
    assert alice.me()["used"] == size and alice.coffer.spool_is_empty()


@pytest.mark.parametrize("way", ["length", "chunked", "form"])
def test_300_megabytes(alice, way):
    noise = Noise(300 * M)
    if way == "form":
        response = alice.upload(("f.bin", noise))
    else:
        response = alice.put("f.bin", noise, headers={"Content-Length": str(noise.size)} if way == "length" else None)
    assert ok(response, 201).json()["size"] == noise.size
    digest = hashlib.sha256()
    with alice.http.stream("GET", "/api/v1/content/f.bin") as back:
        for piece in back.iter_raw(M):
            digest.update(piece)
    assert digest.hexdigest() == noise.sha256()
    ok(alice.delete("/api/v1/content/f.bin"), 204)


@pytest.mark.stores
def test_sha256_is_told_within_a_minute(alice):
    alice.put("a", b"hello")
    assert wait_for(lambda: alice.list()["items"][0]["sha256"], step=0.5) == sha256(b"hello")


# ---- where
@pytest.mark.parametrize("size", [3, 300_000])
def test_a_missing_folder_is_no_parent(alice, size):
    problem(alice.put("no/such/a.txt", b"x" * size), 409, "no-parent")
    assert alice.names() == []


@pytest.mark.door
@pytest.mark.parametrize("size", [3, 300_000])
def test_parents_makes_the_folders(alice, size):
    ok(alice.put("x/y/z.txt", b"1" * size, parents=1), 201)
    assert alice.content("x/y/z.txt").content == b"1" * size
    assert alice.names() == ["x"]


def test_parents_that_exist_are_used(alice):
    folder = alice.folder("x")
    assert ok(alice.put("x/a", b"1", parents=1), 201).json()["parent"] == folder["id"]


@pytest.mark.parametrize("size", [3, 300_000])
def test_put_onto_a_folder(alice, size):
    alice.folder("x")
    problem(alice.put("x", b"1" * size), 409, "is-a-folder")


def test_put_below_a_file(alice):
    alice.file("f")
    problem(alice.put("f/g", b"1"), 409, "not-a-folder")
    problem(alice.put("f/g", b"1", parents=1), 409, "not-a-folder")


def test_names_are_normalised(alice):
    nfd = unicodedata.normalize("NFD", "Zürich.txt")
    ok(alice.put(nfd, b"x"), 201)
    assert alice.names() == [unicodedata.normalize("NFC", nfd)]
    assert alice.content(unicodedata.normalize("NFC", nfd)).content == b"x"
    assert alice.content(nfd).content == b"x"


@pytest.mark.stores
def test_names_differ_by_case(alice):
    alice.put("a", b"1")
    alice.put("A", b"2")
    assert (alice.content("a").content, alice.content("A").content) == (b"1", b"2")


@pytest.mark.door
def test_reserved_characters_in_a_path(alice):
    ok(alice.put("a%20b%23c%3Fd%25e+f;g=h&i", b"x"), 201)
    assert alice.names() == ["a b#c?d%e+f;g=h&i"]


@pytest.mark.parametrize("given, kept", [
    ("2020-02-03T04:05:06.789Z", "2020-02-03T04:05:06.789Z"),
    ("2020-02-03T05:05:06+01:00", "2020-02-03T04:05:06.000Z"),
    ("1580702706.5", "2020-02-03T04:05:06.500Z"),
])
@pytest.mark.parametrize("size", [3, 300_000])
def test_mtime(alice, given, kept, size):
    assert ok(alice.put("a", b"x" * size, mtime=given), 201).json()["modified"] == kept


@pytest.mark.parametrize("given", ["yesterday", "2020-13-01T00:00:00Z", "", "99999999999999999999"])
def test_a_wrong_mtime(alice, given):
    assert problem(alice.put("a", b"x", mtime=given), 422, "invalid-field")["field"] == "mtime"


@pytest.mark.parametrize("header", ["Content-Type: text/html", "Content-Type: image/png"])
def test_the_type_is_never_the_uploaders(alice, header):
    name, value = header.split(": ")
    assert alice.put("a.bin", b"\x00\x01\x02\x03" * 10, headers={name: value}).json()["type"] == "application/octet-stream"


# ---- conditions
@pytest.mark.stores
@pytest.mark.parametrize("size", [3, 300_000])
def test_if_none_match_star_makes_only(alice, size):
    ok(alice.put("a", b"1" * size, headers={"If-None-Match": "*"}), 201)
    problem(alice.put("a", b"2" * size, headers={"If-None-Match": "*"}), 412, "precondition-failed")
    assert alice.content("a").content == b"1" * size and alice.me()["used"] == size


@pytest.mark.stores
@pytest.mark.parametrize("size", [3, 300_000])
def test_if_match_replaces_only_what_was_seen(alice, size):
    tag = alice.put("a", b"1" * size).headers["etag"]
    ok(alice.put("a", b"2" * size, headers={"If-Match": tag}), 200)
    problem(alice.put("a", b"3" * size, headers={"If-Match": tag}), 412, "precondition-failed")
    assert alice.content("a").content == b"2" * size


def test_if_match_of_nothing(alice):
    problem(alice.put("a", b"1", headers={"If-Match": "*"}), 412, "precondition-failed")
    problem(alice.put("a", b"1", headers={"If-Match": '"abc"'}), 412, "precondition-failed")


@pytest.mark.door
@pytest.mark.route("content_delete")
def test_delete(alice):
    alice.put("a", b"1")
    ok(alice.delete("/api/v1/content/a"), 204)
    problem(alice.delete("/api/v1/content/a"), 404, "not-found")
    problem(alice.content("a"), 404, "not-found")


def test_delete_if_match(alice):
    tag = alice.put("a", b"1").headers["etag"]
    problem(alice.delete("/api/v1/content/a", headers={"If-Match": '"other"'}), 412, "precondition-failed")
    ok(alice.delete("/api/v1/content/a", headers={"If-Match": tag}), 204)


def test_delete_of_a_folder_by_path(alice):
    alice.put("x/y/a", b"1", parents=1)
    ok(alice.delete("/api/v1/content/x"), 204)
    assert alice.names() == []


def test_delete_of_the_root_by_path(alice):
    problem(alice.delete("/api/v1/content/"), 403, "root-folder")


# ---- reading
@pytest.mark.route("content_get")
def test_get_needs_a_sign_in(anon):
    problem(anon.content("a"), 401, "not-signed-in")


def test_each_person_has_a_space_of_their_own(alice, bob):
    alice.put("secret", b"alice's")
    problem(bob.content("secret"), 404, "not-found")
    bob.put("secret", b"bob's")
    assert (alice.content("secret").content, bob.content("secret").content) == (b"alice's", b"bob's")


@pytest.mark.door
def test_head_is_get_without_the_body(alice):
    alice.put("a.txt", b"hello")
    head, get = alice.head("/api/v1/content/a.txt"), alice.content("a.txt")
    drop = {"date", "connection"}
    assert head.status_code == 200 and head.content == b""
    assert {k: v for k, v in head.headers.items() if k not in drop} == {k: v for k, v in get.headers.items() if k not in drop}


@pytest.mark.door
def test_a_folder_without_slash_is_moved(alice):
    alice.folder("docs")
    response = alice.content("docs")
    assert response.status_code == 301 and response.headers["location"].endswith("/api/v1/content/docs/")


@pytest.mark.door
def test_a_folder_with_slash_is_an_index_with_relative_links(alice):
    alice.put("docs/a b.txt", b"1", parents=1)
    alice.put("docs/sub/c", b"1", parents=1)
    response = ok(alice.get("/api/v1/content/docs/", headers={"Accept": "text/html"}))
    assert response.headers["content-type"].startswith("text/html")
    links = Page(response.text).links
    assert "a%20b.txt" in links and "sub/" in links
    assert ok(alice.get("/api/v1/content/docs/a%20b.txt")).content == b"1"


def test_an_index_leaves_nobody_out(alice):
    for n in range(0, 1200, 400):
        ok(alice.upload(*[(f"{i:04}", b"") for i in range(n, n + 400)]), 201)
    assert len(Page(ok(alice.get("/api/v1/content/")).text).links) == 1200
    page = ok(alice.get("/api/v1/content/", headers={"Accept": "application/json"})).json()
    rest = ok(alice.get("/api/v1/files", params={"cursor": page["next"]})).json()
    assert len(page["items"]) == 1000 and rest["items"][0]["name"] == "1000"


def test_a_folder_as_json(alice):
    alice.put("docs/a", b"1", parents=1)
    response = ok(alice.get("/api/v1/content/docs/", headers={"Accept": "application/json"}))
    assert [item["name"] for item in response.json()["items"]] == ["a"]


def test_a_name_cannot_leave_its_link_in_an_index(alice):
    ok(alice.upload(('"><img src=x onerror=alert(1)>', b"1")), 201)
    response = ok(alice.get("/api/v1/content/", headers={"Accept": "text/html"}))
    page = Page(response.text)
    assert response.headers["content-type"].startswith("text/html") and '"><img src=x onerror=alert(1)>' in page.text
    assert "img" not in [tag for tag, _ in page.elements] and not [a for _, attributes in page.elements for a in attributes if a.startswith("on")]


@pytest.mark.door
def test_an_unsupported_method(alice):
    response = alice.post("/api/v1/content/a", content=b"x")
    problem(response, 405, "method-not-allowed")
    assert set(response.headers["allow"].replace(" ", "").split(",")) >= {"GET", "HEAD", "PUT", "DELETE"}
