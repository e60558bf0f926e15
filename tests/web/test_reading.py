"""GET and HEAD /files/{id}: ranges, conditional requests (RFC 9110), what a file is sent as."""
import email.utils
import re
import struct
import zlib
from urllib.parse import quote

import pytest
from harness import ok, problem, sha256

DATA = bytes(range(256)) * 1000  # 256,000 bytes: beyond what goes through memory


@pytest.fixture(params=[100, len(DATA)], ids=["small", "large"])
def file(alice, request):
    """A file with its contents: (address, bytes, etag as in the header)."""
    data = DATA[:request.param]
    record = alice.file("f.bin", data)
    address = f"/api/v1/files/{record['id']}"
    return address, data, alice.head(address).headers["etag"]


def png():
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # noqa: E731
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b""))


# ---- the whole
@pytest.mark.door
@pytest.mark.route("file_show")
def test_get(alice, file):
    address, data, _ = file
    response = ok(alice.get(address))
    assert response.content == data and int(response.headers["content-length"]) == len(data)
    assert response.headers["accept-ranges"] == "bytes"


def test_the_etag_is_the_records(alice):
    record = alice.file()
    assert alice.get(f"/api/v1/files/{record['id']}").headers["etag"].strip('"') == record["etag"].strip('"')
    assert re.fullmatch('"[0-9a-z]+"', alice.get(f"/api/v1/files/{record['id']}").headers["etag"])


def test_every_content_has_an_etag_of_its_own(alice):
    tags = set()
    for data in (b"one", b"two", b"one"):
        tags.add(alice.put("a", data).headers["etag"])
        assert alice.content("a").headers["etag"] in tags
    assert len(tags) == 3


@pytest.mark.door
def test_head(alice, file):
    address, _, _ = file
    head, get = alice.head(address), alice.get(address)
    drop = {"date", "connection"}
    assert head.content == b""
    assert {k: v for k, v in head.headers.items() if k not in drop} == {k: v for k, v in get.headers.items() if k not in drop}


def test_last_modified_is_the_records(alice):
    record = alice.upload(("a", b"x"), mtime="2020-02-03T04:05:06.789Z").json()
    assert alice.get(f"/api/v1/files/{record['id']}").headers["last-modified"] == "Mon, 03 Feb 2020 04:05:06 GMT"


def test_a_folder_has_no_contents(alice):
    problem(alice.get(f"/api/v1/files/{alice.folder('x')['id']}"), 409, "is-a-folder")


def test_get_needs_a_sign_in(alice, anon):
    record = alice.file()
    problem(anon.get(f"/api/v1/files/{record['id']}"), 401, "not-signed-in")


@pytest.mark.parametrize("id", ["x", "0" * 32, "A" * 32, "f" * 31, "f" * 33, "..", "%2e%2e", "f" * 10_000])
def test_an_unknown_id(alice, id):
    response = alice.coffer.raw(alice.coffer.request_text("GET", f"/api/v1/files/{id}", cookie=alice.cookie))
    assert response.status in (400, 404, 414)


@pytest.mark.door
@pytest.mark.route("file_info")
def test_info_is_the_record(alice):
    record = alice.file("a.txt", b"hello")
    info = ok(alice.get(f"/api/v1/files/{record['id']}/info")).json()
    assert {k: v for k, v in info.items() if k != "sha256"} == {k: v for k, v in record.items() if k != "sha256"}


def test_info_of_a_folder_and_of_the_root(alice):
    folder = alice.folder("x")
    info = ok(alice.get(f"/api/v1/files/{folder['id']}/info")).json()
    assert (info["kind"], info["size"], info["type"], info["etag"], info["sha256"]) == ("folder", None, None, None, None)
    assert ok(alice.get(f"/api/v1/files/{alice.root}/info")).json()["parent"] is None


def test_usage_of_a_folder(alice):
    alice.put("x/a", b"12345", parents=1)
    alice.put("x/y/b", b"123", parents=1)
    folder = next(i for i in alice.list()["items"] if i["name"] == "x")["id"]
    info = ok(alice.get(f"/api/v1/files/{folder}/info", params={"usage": 1})).json()
    assert 8 in [info.get("usage"), *(info["usage"].values() if isinstance(info.get("usage"), dict) else [])], info


# ---- ranges
@pytest.mark.parametrize("header, first, last", [
    ("bytes=0-0", 0, 0), ("bytes=0-", 0, -1), ("bytes=5-9", 5, 9), ("bytes=50-", 50, -1), ("bytes=-1", -1, -1),
    ("bytes=-7", -7, -1), ("bytes=90-1000000", 90, -1), ("bytes=-1000000", 0, -1), ("bytes= 5-9", 5, 9), ("BYTES=5-9", 5, 9),
])
def test_range(alice, file, header, first, last):
    address, data, tag = file
    size = len(data)
    first, last = first % size, last % size if last < 0 else min(last, size - 1)
    response = alice.get(address, headers={"Range": header})
    ok(response, 206)
    assert response.headers["content-range"] == f"bytes {first}-{last}/{size}"
    assert response.content == data[first:last + 1] and response.headers["etag"] == tag


@pytest.mark.parametrize("header", ["bytes=SIZE-", "bytes=SIZE-SIZE", "bytes=99999999-", "bytes=99999999999999999999-"])
def test_a_range_outside_is_416(alice, file, header):
    address, data, _ = file
    response = alice.get(address, headers={"Range": header.replace("SIZE", str(len(data)))})
    assert response.status_code == 416 and response.headers["content-range"] == f"bytes */{len(data)}"


def test_a_suffix_of_nothing_is_416(alice, file):
    assert alice.get(file[0], headers={"Range": "bytes=-0"}).status_code == 416


@pytest.mark.parametrize("header", ["lines=1-2", "bytes"])
def test_a_range_of_another_unit_is_ignored(alice, file, header):
    address, data, _ = file
    assert ok(alice.get(address, headers={"Range": header})).content == data


@pytest.mark.parametrize("header", ["bytes=9-5", "bytes=a-b", "bytes=1", "bytes=", "bytes=--1", "bytes=1-2-3"])
def test_an_invalid_range_is_ignored_or_refused(alice, file, header):
    """RFC 9110 14.2: a server may ignore or reject an invalid ranges-specifier."""
    address, data, _ = file
    response = alice.get(address, headers={"Range": header})
    assert response.status_code == 416 or (response.status_code == 200 and response.content == data)


def test_two_ranges(alice, file):
    """RFC 9110 14.2 lets a server answer several ranges with all of it."""
    address, data, _ = file
    response = alice.get(address, headers={"Range": "bytes=0-1,10-12"})
    if response.status_code == 206:
        assert response.headers["content-type"].startswith("multipart/byteranges")
        assert data[0:2] in response.content and data[10:13] in response.content
    else:
        assert ok(response).content == data


def test_a_thousand_ranges_are_not_a_thousand_answers(alice, file):
    address, data, _ = file
    response = alice.get(address, headers={"Range": "bytes=" + ",".join(["0-"] * 1000)})
    assert len(response.content) <= 2 * len(data)


def test_a_range_of_an_empty_file(alice):
    record = alice.file("empty", b"")
    assert alice.get(f"/api/v1/files/{record['id']}", headers={"Range": "bytes=0-"}).status_code in (200, 416)


def test_head_ignores_ranges_or_answers_their_headers(alice, file):
    address, data, _ = file
    response = alice.head(address, headers={"Range": "bytes=0-4"})
    assert response.status_code in (200, 206) and response.content == b""


def test_if_range_with_the_tag(alice, file):
    address, data, tag = file
    response = alice.get(address, headers={"Range": "bytes=1-3", "If-Range": tag})
    assert ok(response, 206).content == data[1:4]


@pytest.mark.parametrize("value", ['"other"', 'W/TAG', "Thu, 01 Jan 1970 00:00:00 GMT", "nonsense"])
def test_if_range_with_anything_else_sends_it_all(alice, file, value):
    address, data, tag = file
    response = alice.get(address, headers={"Range": "bytes=1-3", "If-Range": value.replace("TAG", tag)})
    assert ok(response).content == data


# ---- conditions
@pytest.mark.door
@pytest.mark.parametrize("value", ["TAG", "*", "W/TAG", '"x", TAG', 'TAG , "x"', '"x",W/TAG'])
def test_if_none_match_that_matches_is_304(alice, file, value):
    address, _, tag = file
    for method in ("GET", "HEAD"):
        response = alice.request(method, address, headers={"If-None-Match": value.replace("TAG", tag)})
        assert response.status_code == 304 and response.content == b"" and response.headers["etag"] == tag
        assert response.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("value", ['"x"', 'W/"x"', '"x", "y"'])
def test_if_none_match_that_does_not_match(alice, file, value):
    address, data, _ = file
    assert ok(alice.get(address, headers={"If-None-Match": value})).content == data


@pytest.mark.parametrize("value", ["TAG", "*", '"x", TAG'])
def test_if_match_that_matches(alice, file, value):
    address, data, tag = file
    response = ok(alice.get(address, headers={"If-Match": value.replace("TAG", tag)}))
    assert response.content == data and response.headers["etag"] == tag


@pytest.mark.parametrize("value", ['"x"', "W/TAG"])
def test_if_match_that_does_not_match_is_412(alice, file, value):
    address, _, tag = file
    problem(alice.get(address, headers={"If-Match": value.replace("TAG", tag)}), 412, "precondition-failed")


def test_if_match_with_a_range(alice, file):
    address, data, tag = file
    response = alice.get(address, headers={"If-Match": tag, "Range": "bytes=2-4"})
    assert response.status_code in (200, 206) and response.content in (data, data[2:5])


@pytest.fixture
def dated(alice):
    record = alice.upload(("a", b"hello"), mtime="2020-02-03T04:05:06Z").json()
    return f"/api/v1/files/{record['id']}"


def date(offset):
    return email.utils.formatdate(1580702706 + offset, usegmt=True)


@pytest.mark.parametrize("offset, status", [(0, 304), (100, 304), (-1, 200)])
def test_if_modified_since(alice, dated, offset, status):
    assert alice.get(dated, headers={"If-Modified-Since": date(offset)}).status_code == status


@pytest.mark.parametrize("value", ["yesterday", "", "2020-02-03T04:05:06Z"])
def test_if_modified_since_that_is_no_date_is_ignored(alice, dated, value):
    ok(alice.get(dated, headers={"If-Modified-Since": value}))


@pytest.mark.parametrize("offset, status", [(0, 200), (100, 200), (-1, 412)])
def test_if_unmodified_since(alice, dated, offset, status):
    assert alice.get(dated, headers={"If-Unmodified-Since": date(offset)}).status_code == status


def test_tags_go_before_dates(alice, dated):
    tag = alice.head(dated).headers["etag"]
    ok(alice.get(dated, headers={"If-None-Match": '"x"', "If-Modified-Since": date(100)}))
    ok(alice.get(dated, headers={"If-Match": tag, "If-Unmodified-Since": date(-100)}))


def test_if_match_goes_before_if_none_match(alice, file):
    address, _, tag = file
    problem(alice.get(address, headers={"If-Match": '"x"', "If-None-Match": tag}), 412, "precondition-failed")


# ---- what a file is sent as
def test_contents_are_private_and_asked_again(alice, file):
    response = alice.get(file[0])
    assert response.headers["cache-control"] == "private, no-cache"


def test_contents_are_sandboxed(alice, file):
    headers = alice.get(file[0]).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert "sandbox" in policy and "default-src 'none'" in policy and "allow-scripts" not in policy


def test_ranges_and_304_and_heads_are_sandboxed_too(alice, file):
    address, _, tag = file
    for response in (alice.get(address, headers={"Range": "bytes=0-1"}), alice.head(address)):
        assert "sandbox" in response.headers["content-security-policy"] and response.headers["x-content-type-options"] == "nosniff"
    assert alice.get(address, headers={"If-None-Match": tag}).headers["x-content-type-options"] == "nosniff"


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize("name, data", [
    ("a.html", b"<!DOCTYPE html><html><script>alert(1)</script></html>"), ("a.svg", SVG), ("a.xml", b"<?xml version='1.0'?><a/>"),
    ("a.xhtml", b"<html xmlns='http://www.w3.org/1999/xhtml'/>"), ("a.js", b"alert(1)"), ("a.css", b"body{}"), ("a.mjs", b"alert(1)"),
    ("noext", b"<html><script>alert(1)</script>"),
    ("a.htm", b"x"), ("a.wasm", b"\0asm\1\0\0\0"), ("a.pdf", b"%PDF-1.4\n"), ("a.zip", b"PK\3\4"),
])
def test_nothing_that_could_run_is_shown(alice, name, data):
    record = alice.file(name, data)
    response = ok(alice.get(f"/api/v1/files/{record['id']}"))
    assert response.headers["content-disposition"].startswith("attachment")
    assert not re.search("html|svg|xml|script|css", response.headers["content-type"]), response.headers["content-type"]


@pytest.mark.parametrize("name, data, type", [("a.png", png(), "image/png"), ("a.txt", b"hello\n", "text/plain"),
                                              ("a.gif", b"GIF89a\1\0\1\0\0\0\0;", "image/gif")])
def test_what_is_harmless_is_shown(alice, name, data, type):
    address = f"/api/v1/files/{alice.file(name, data)['id']}"
    response = ok(alice.get(address))
    assert response.headers["content-type"].split(";")[0] == type
    assert response.headers["content-disposition"].startswith("inline")


@pytest.mark.parametrize("data", [b"<html><script>alert(1)</script></html>", SVG])
def test_what_lies_about_being_a_picture_is_sent_as_one(alice, data):
    """Shown as a broken picture or saved, never run: the type is inert, and nosniff keeps it so."""
    response = ok(alice.get(f"/api/v1/files/{alice.file('a.png', data)['id']}"))
    assert response.headers["content-type"] in ("image/png", "application/octet-stream")
    assert response.headers["x-content-type-options"] == "nosniff" and "sandbox" in response.headers["content-security-policy"]


@pytest.mark.door
def test_download_forces_an_attachment(alice):
    address = f"/api/v1/files/{alice.file('a.png', png())['id']}"
    assert alice.get(address, params={"download": 1}).headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("name, disposition", [
    ("plain name-1_2.txt", "filename=\"plain name-1_2.txt\"; filename*=UTF-8''plain%20name-1_2.txt"),
    ('a"; filename=b', "filename=\"a__ filename_b\"; filename*=UTF-8''a%22%3B%20filename%3Db"),
    ("Zürich €.txt", "filename=\"Z__rich ___.txt\"; filename*=UTF-8''Z%C3%BCrich%20%E2%82%AC.txt"),
    ("100%.txt", "filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
])
def test_content_disposition(alice, name, disposition):
    record = ok(alice.put(quote(name, safe=""), b"x"), 201).json()
    header = alice.get(f"/api/v1/files/{record['id']}", params={"download": 1}).headers["content-disposition"]
    one_per_character = re.sub("_+", "_", header) == re.sub("_+", "_", "attachment; " + disposition)
    assert one_per_character, header


@pytest.mark.parametrize("destination", ["script", "style", "worker", "sharedworker", "serviceworker", "object", "embed"])
def test_contents_are_not_for_active_uses(alice, file, destination):
    for address in (file[0], "/api/v1/content/f.bin"):
        response = alice.get(address, headers={"Sec-Fetch-Dest": destination, "Sec-Fetch-Site": "same-origin"})
        problem(response, 403, "forbidden")


@pytest.mark.parametrize("destination", ["document", "image", "audio", "video", "empty"])
def test_contents_are_for_passive_uses(alice, file, destination):
    ok(alice.get(file[0], headers={"Sec-Fetch-Dest": destination}))


def test_a_download_while_the_file_is_replaced_stays_one_content(alice):
    first, second = b"1" * 3_000_000, b"2" * 3_000_000
    record = alice.file("f", first)
    with alice.http.stream("GET", f"/api/v1/files/{record['id']}") as response:
        pieces = response.iter_raw(100_000)
        head = next(pieces)
        alice.coffer.anon().login(alice.name).put("f", second)
        assert sha256(head + b"".join(pieces)) == sha256(first)
    assert alice.get(f"/api/v1/files/{record['id']}").content == second
