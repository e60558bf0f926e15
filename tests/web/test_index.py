"""A folder below /content/ as a page of links, as JSON, page by page; times and conditions on every way of writing."""
import urllib.parse

import pytest
from harness import Page, ok, problem, sha256, wait_for

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
JSON = {"Accept": "application/json"}


def index(person, path="", headers=None, **query):
    return person.get(f"/api/v1/content/{path}", headers=headers, params=query or None)


# ---- the index
@pytest.mark.parametrize("accept", [None, "*/*", "text/html", "text/html, application/json;q=0", "image/png"])
def test_html_unless_json_is_asked_for(alice, accept):
    alice.file()
    response = ok(index(alice, headers={"Accept": accept} if accept else None))
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store" and "default-src 'none'" in response.headers["content-security-policy"]


def test_json_if_asked(alice):
    record = alice.file()
    assert ok(index(alice, headers=JSON)).json() == {"items": [record], "next": None}
    assert ok(index(alice, headers={"Accept": "application/json;q=0.5, */*;q=0.1"})).json()["items"] == [record]


@pytest.mark.door
def test_following_links_leads_everywhere(alice):
    names = ["a b", "100%", "a:b", "#x?y=z&", "ä/".rstrip("/"), "..x", "'\"<>", "\U0001f600"]
    for name in names:
        ok(alice.put(f"dir/sub/{urllib.parse.quote(name, safe='')}", name.encode(), parents=1), 201)
    base = "/api/v1/content/"
    top = Page(ok(alice.get(base)).text)
    assert top.links == ["dir/"]
    sub = urllib.parse.urljoin(base, "dir/sub/")
    page = Page(ok(alice.get(sub)).text)
    assert page.links[0] == "../" and len(page.links) == 1 + len(names)
    contents = {ok(alice.get(urllib.parse.urljoin(sub, link))).text for link in page.links[1:]}
    assert contents == set(names)
    assert Page(ok(alice.get(urllib.parse.urljoin(sub, "../"))).text).links == ["../", "sub/"]


def test_head(alice):
    alice.folder("docs")
    response = ok(alice.head("/api/v1/content/docs/"))
    assert response.content == b"" and response.headers["content-type"].startswith("text/html")


def test_only_ones_own(alice, bob):
    alice.file("secret")
    assert "secret" not in ok(index(bob)).text
    problem(index(alice, "none/"), 404, "not-found")


def test_nobody_gets_no_index(anon):
    problem(index(anon, headers=HTML), 401, "not-signed-in")


def test_no_script_and_no_stranger_in_it(alice):
    page = Page(ok(index(alice, headers=HTML)).text)
    assert not {"script", "style", "link", "img"} & {tag for tag, _ in page.elements}


# ---- the sum below a folder
def test_usage(alice):
    ok(alice.put("a/b/one", b"x" * 10, parents=1), 201)
    ok(alice.put("a/two", b"x" * 5), 201)
    folder = next(i for i in alice.list()["items"] if i["kind"] == "folder")
    info = f"/api/v1/files/{folder['id']}/info"
    assert "usage" not in ok(alice.get(info)).json()
    assert ok(alice.get(info, params={"usage": 1})).json()["usage"] == {"files": 2, "folders": 1, "size": 15}
    ok(alice.delete("/api/v1/content/a/b"), 204)
    assert ok(alice.get(info, params={"usage": 1})).json()["usage"] == {"files": 1, "folders": 0, "size": 5}


# ---- the file's own time, wherever a file comes in
@pytest.mark.parametrize("way", ["put", "upload", "familiar_upload", "familiar_put"])
def test_mtime(alice, way):
    when, query = "2001-02-03T04:05:06.000Z", {"mtime": "2001-02-03T04:05:06Z"}
    {"put": lambda: alice.put("a", b"x", **query),
     "upload": lambda: alice.upload(("a", b"x"), **query),
     "familiar_upload": lambda: alice.post("/upload", files=[("file", ("a", b"x"))], params=query),
     "familiar_put": lambda: alice.post("/files", json={"fileName": "a", "content": "x"}, params=query)}[way]()
    assert alice.list()["items"][0]["modified"] == when
    assert alice.content("a").headers["last-modified"] == "Sat, 03 Feb 2001 04:05:06 GMT"


# ---- If-Match, wherever something is replaced or goes
WRITES = {
    "put": lambda p, h: p.put("a.txt", b"new", headers=h),
    "put_large": lambda p, h: p.put("a.txt", b"n" * 300_000, headers=h),
    "upload": lambda p, h: p.upload(("a.txt", b"new"), headers=h, conflict="replace"),
    "upload_large": lambda p, h: p.upload(("a.txt", b"n" * 300_000), headers=h, conflict="replace"),
    "familiar_upload": lambda p, h: p.post("/upload", files=[("file", ("a.txt", b"new"))], headers=h),
    "familiar_put": lambda p, h: p.post("/files", json={"fileName": "a.txt", "content": "new"}, headers=h),
    "familiar_delete": lambda p, h: p.delete("/delete", params={"filename": "a.txt"}, headers=h),
    "content_delete": lambda p, h: p.delete("/api/v1/content/a.txt", headers=h),
    "file_delete": lambda p, h: p.delete(f"/api/v1/files/{p.list()['items'][0]['id']}", headers=h),
    "file_change": lambda p, h: p.request("PATCH", f"/api/v1/files/{p.list()['items'][0]['id']}", json={"name": "b"}, headers=h),
    "file_copy": lambda p, h: p.post(f"/api/v1/files/{p.list()['items'][0]['id']}/copy", json={"name": "b"}, headers=h),
}


@pytest.mark.parametrize("way", WRITES)
def test_if_match(alice, way):
    tag = alice.file("a.txt", b"old")["etag"]
    problem(WRITES[way](alice, {"If-Match": '"' + "0" * 32 + '"'}), 412, "precondition-failed")
    assert alice.names() == ["a.txt"] and alice.content("a.txt").content == b"old" and alice.me()["used"] == 3
    assert WRITES[way](alice, {"If-Match": tag}).status_code in (200, 201, 204)


# ---- the hash of what was too large to be hashed at once
@pytest.mark.sqlite("what goes to S3 is hashed on its way there")
def test_sha256_of_a_large_file_is_told_within_a_minute(alice):
    data = b"0123456789abcdef" * 125_000
    assert ok(alice.put("large", data), 201).json()["sha256"] is None
    record = wait_for(lambda: next((i for i in alice.list()["items"] if i["sha256"]), None), step=0.5)
    assert record and record["sha256"] == sha256(data)
    assert ok(alice.post(f"/api/v1/files/{record['id']}/copy", json={"name": "twin"}), 201).json()["sha256"] == sha256(data)
