"""Addresses people know from similar systems: the same files, the same sign-in; conflicts replace."""
import base64

import pytest
from harness import ok, problem, unique

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.door
@pytest.mark.route("familiar_upload")
@pytest.mark.parametrize("path", ["/upload", "/upload/"])
@pytest.mark.parametrize("size", [5, 300_000])
def test_upload_goes_into_the_root(alice, path, size):
    answer = ok(alice.post(path, files={"file": ("a.txt", b"x" * size)}), 201).json()
    assert answer["s3_key"] == answer["id"] and answer["status"] and answer["name"] == "a.txt"
    assert alice.content("a.txt").content == b"x" * size


def test_upload_replaces(alice):
    for data in (b"one", b"two"):
        response = alice.post("/upload", files={"file": ("a.txt", data)})
        assert response.status_code in (200, 201)
    assert alice.names() == ["a.txt"] and alice.content("a.txt").content == b"two"


def test_upload_of_an_unknown_field_only(alice):
    assert problem(alice.post("/upload", files={"image": ("a.txt", b"x")}), 422, "missing-field")["field"] == "file"


@pytest.mark.door
@pytest.mark.route("familiar_download")
@pytest.mark.parametrize("field", ["filename", "file"])
def test_download_by_path(alice, field):
    alice.put("x/a b.txt".replace(" ", "%20"), b"hello", parents=1)
    response = ok(alice.get("/download", params={field: "x/a b.txt"}))
    assert response.content == b"hello" and response.headers["content-disposition"].startswith("attachment")


def test_download_by_key_as_a_field(alice):
    assert ok(alice.get("/download", params={"key": alice.file("a", b"hello")["id"]})).content == b"hello"


def test_download_of_nothing(alice):
    problem(alice.get("/download", params={"filename": "nope"}), 404, "not-found")
    assert problem(alice.get("/download"), 422, "missing-field")["field"] == "filename"


@pytest.mark.parametrize("path", ["../a", "x/../../a", "..", "/etc/passwd", "a\\b", "a\x01"])
def test_download_stays_inside(alice, path):
    response = alice.get("/download", params={"filename": path})
    assert response.status_code in (400, 404, 422), response.text


@pytest.mark.door
@pytest.mark.route("familiar_key")
def test_download_by_key(alice):
    assert ok(alice.get(f"/download/{alice.file('a', b'hello')['id']}")).content == b"hello"
    problem(alice.get("/download/" + "0" * 32), 404, "not-found")


@pytest.mark.door
@pytest.mark.route("familiar_delete")
def test_delete_by_path(alice):
    alice.file("a b.txt")
    ok(alice.delete("/delete", params={"filename": "a b.txt"}), 204)
    problem(alice.delete("/delete", params={"filename": "a b.txt"}), 404, "not-found")


def test_delete_from_another_site(alice):
    alice.file("a")
    problem(alice.delete("/delete", params={"filename": "a"}, headers={"Sec-Fetch-Site": "cross-site"}), 403, "cross-site")
    assert alice.names() == ["a"]


@pytest.mark.door
@pytest.mark.route("familiar_names")
@pytest.mark.parametrize("path", ["/files/", "/files"])
def test_names(alice, path):
    for name in ("b", "a", "ü"):
        alice.file(name)
    assert ok(alice.get(path)).json() == ["a", "b", "ü"]


@pytest.mark.sqlite("1,200 files take the test servers minutes")
def test_names_are_all_names(alice):
    ok(alice.upload(*[(f"{i:04}", b"") for i in range(600)]), 201)
    ok(alice.upload(*[(f"{i:04}", b"") for i in range(600, 1200)]), 201)
    assert len(ok(alice.get("/files/")).json()) == 1200


def test_names_in_a_browser_are_the_page(alice):
    response = alice.get("/files/", headers=HTML, follow_redirects=True)
    assert ok(response).headers["content-type"].startswith("text/html")


@pytest.mark.door
@pytest.mark.route("familiar_records")
def test_records(alice):
    alice.file("a", b"hello")
    assert [(r["name"], r["size"]) for r in ok(alice.get("/uploads")).json()] == [("a", 5)]
    assert ok(alice.get("/uploads", headers=HTML, follow_redirects=True)).headers["content-type"].startswith("text/html")


@pytest.mark.door
@pytest.mark.route("familiar_name")
def test_download_by_name(alice):
    alice.file("a b.txt", b"hello")
    assert ok(alice.get("/uploads/a%20b.txt")).content == b"hello"
    problem(alice.get("/uploads/nope"), 404, "not-found")


@pytest.mark.door
@pytest.mark.route("familiar_put")
def test_upload_as_json(alice):
    ok(alice.post("/files", json={"fileName": "notes.txt", "content": "héllo"}), 201)
    assert alice.content("notes.txt").content == "héllo".encode()
    assert ok(alice.get("/files", params={"fileName": "notes.txt"})).content == "héllo".encode()


def test_upload_as_json_in_base64(alice):
    data = bytes(range(256))
    ok(alice.post("/files", json={"fileName": "b", "content": base64.b64encode(data).decode(), "encoding": "base64"}), 201)
    assert alice.content("b").content == data


@pytest.mark.parametrize("content", ["%%%", "YQ", "YQ=", "a b\x01"])
def test_upload_as_json_in_broken_base64(alice, content):
    response = alice.post("/files", json={"fileName": "b", "content": content, "encoding": "base64"})
    assert problem(response, 422, "invalid-field")["field"] == "content"
    assert alice.names() == []


def test_upload_as_json_replaces(alice):
    for text in ("one", "two"):
        assert alice.post("/files", json={"fileName": "a", "content": text}).status_code in (200, 201)
    assert alice.content("a").content == b"two" and alice.names() == ["a"]


@pytest.mark.parametrize("name", ["../a", "x/../a", "a\\b", "..", "/", "n" * 256])
def test_upload_as_json_with_a_refused_name(alice, name):
    response = alice.post("/files", json={"fileName": name, "content": "x"})
    assert response.status_code in (400, 422), response.text
    assert alice.names() == []


@pytest.mark.parametrize("method, path", [("GET", "/files/"), ("GET", "/uploads"), ("GET", "/uploads/a"), ("GET", "/download?filename=a"),
                                          ("GET", "/download/" + "0" * 32), ("DELETE", "/delete?filename=a")])
def test_they_need_a_sign_in(anon, method, path):
    problem(anon.request(method, path), 401, "not-signed-in")


def test_an_upload_needs_a_sign_in(anon):
    problem(anon.post("/upload", files={"file": ("a", b"x")}), 401, "not-signed-in")
    problem(anon.post("/files", json={"fileName": "a", "content": "x"}), 401, "not-signed-in")


@pytest.mark.door
def test_api_without_a_version_is_v1(anon):
    anon.name = unique("v1")
    account = {"username": anon.name, "password": anon.password}
    ok(anon.post("/api/register", json=account), 201)
    ok(anon.post("/api/login", json=account))
    record = ok(anon.post("/api/upload", files={"file": ("a", b"hello")}), 201).json()
    assert [i["id"] for i in ok(anon.get("/api/files")).json()["items"]] == [record["id"]]
    assert ok(anon.get(f"/api/files/{record['id']}")).content == b"hello"
    ok(anon.delete(f"/api/files/{record['id']}"), 204)
    ok(anon.post("/api/logout"), 204)
    problem(anon.get("/api/files"), 401, "not-signed-in")
