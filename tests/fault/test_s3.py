"""Contents in S3, when all is well: what is stored comes back, and what S3 says besides goes no further."""
import pytest
from harness import Noise, ok, problem, s3_client
from s3bench import MB, alice, coffer, error, needs_s3, new_blobs, proxy  # noqa: F401 (fixtures)

pytestmark = needs_s3


@pytest.mark.parametrize("size", [0, 1, 10_000, 300_000, 5 * MB, 40 * MB])
def test_what_is_stored_comes_back(alice, size):
    data = Noise(size, seed=size).read()
    tag = ok(alice.put("a", data), 201).headers["etag"]
    whole = ok(alice.content("a"))
    assert whole.content == data and whole.headers["etag"] == tag
    assert int(ok(alice.head("/api/v1/content/a")).headers["content-length"]) == size
    assert alice.content("a", headers={"If-None-Match": tag}).status_code == 304
    assert ok(alice.content("a", headers={"If-Match": tag})).content == data
    if size > 1:
        part = alice.content("a", headers={"Range": "bytes=1-9"})
        assert (part.status_code, part.content) == (206, data[1:10])
        assert part.headers["content-range"] == f"bytes 1-9/{size}"
        assert ok(alice.content("a", headers={"Range": "bytes=1-9", "If-Range": '"other"'})).content == data
        assert alice.content("a", headers={"Range": f"bytes={size}-"}).status_code == 416


def test_a_small_upload_is_one_request(proxy, alice):
    ok(alice.put("a", b"x" * 10_000), 201)
    assert [line.split()[0] for line in proxy.requests()] == ["PUT"]


def test_a_download_is_one_request_and_a_question_none(proxy, alice):
    tag = ok(alice.put("a", b"x" * 10_000), 201).headers["etag"]
    proxy.heads.clear()
    ok(alice.content("a"))
    assert len(proxy.heads) == 1
    ok(alice.head("/api/v1/content/a"))
    alice.content("a", headers={"If-None-Match": tag})
    alice.content("a", headers={"Range": "bytes=10000-"})
    assert len(proxy.heads) == 1


def test_nothing_of_the_client_reaches_s3(proxy, alice):
    ok(alice.put("a", b"x" * 1000), 201)
    proxy.heads.clear()
    ok(alice.content("a", headers={"If-None-Match": '"other"', "If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT", "If-Range": '"other"',
                                   "Range": "bytes=1-2", "X-Amz-Acl": "public-read", "Accept-Language": "tlh", "User-Agent": "odd one"}))
    head = proxy.heads[0].lower()
    for word in (b"cookie", b"if-none-match", b"if-modified", b"if-range", b"range:", b"x-amz-acl", b"accept-language", b"odd one"):
        assert word not in head, head
    assert b"authorization: aws4-hmac-sha256 " in head


def test_removed_contents_leave_the_bucket(proxy, server_factory):
    coffer = server_factory(store_blobs=new_blobs(), gc_grace="0")
    alice = coffer.person()
    ok(alice.put("a", b"x" * 1000), 201)
    ok(alice.delete("/api/v1/content/a"), 204)
    coffer.cli("gc")
    assert "0 damaged, 0 repaired, 0 notes" in coffer.fsck().stdout


def test_others_objects_are_left_alone(server_factory):
    """Beside ours, above ours, and even among ours: what has no name of ours is nobody's to touch."""
    uri, s3 = new_blobs(), s3_client()
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    others = [f"{prefix}{key}" for key in (
        "-two/blobs/0123456789abcdef0123456789abcdef", "/letter.txt", "/store_id.bak", "/blobs/letter.txt", "/blobs/0123456789abcdef",
        "/blobs/0123456789abcdef0123456789abcdef.bak", "/blobs/deeper/0123456789abcdef0123456789abcdef", "/lost/letter.txt")]
    made = {key: s3.put_object(Bucket=bucket, Key=key, Body=key.encode())["ETag"] for key in others}
    coffer = server_factory(store_blobs=uri, gc_grace="0", gc_lost="0")
    alice = coffer.person()
    ok(alice.put("a", b"x" * 1000), 201)
    ok(alice.delete("/api/v1/content/a"), 204)
    ok(alice.put("b", b"x" * 1000), 201)
    coffer.cli("gc")
    coffer.cli("keeper", "--once")
    assert "0 damaged, 0 repaired, 0 notes" in coffer.fsck("--repair").stdout
    assert {key: s3.head_object(Bucket=bucket, Key=key)["ETag"] for key in others} == made


# ---------------------------------------------------------------- what S3 says goes no further
INJECTED = b"""X-Accel-Redirect: /assets/manifest.json\r
X-Accel-Limit-Rate: 1\r
X-Accel-Buffering: no\r
Set-Cookie: coffer=stolen\r
Content-Type: text/html\r
Content-Disposition: inline\r
Content-Encoding: gzip\r
Content-Security-Policy: default-src *\r
ETag: "theirs"\r
Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r
Access-Control-Allow-Origin: *\r
Location: https://example.org/\r
Refresh: 0; url=https://example.org/\r
Link: <https://example.org/a.css>; rel=stylesheet\r
Clear-Site-Data: "*"\r
x-amz-meta-coffer-put: secret\r
"""


def test_injected_headers_reach_nobody(proxy, alice):
    ok(alice.put("a.txt", b"x" * 1000), 201)
    plain = ok(alice.content("a.txt"))
    proxy.inject(INJECTED)
    answer = ok(alice.content("a.txt"))
    assert answer.content == plain.content
    drop = ("date",)
    assert sorted((k, v) for k, v in answer.headers.multi_items() if k not in drop) == sorted(
        (k, v) for k, v in plain.headers.multi_items() if k not in drop)


def test_a_redirect_is_not_followed(proxy, alice):
    ok(alice.put("a", b"x" * 1000), 201)
    proxy.status(307, error("TemporaryRedirect"), b"Location: http://127.0.0.1:1/\r\n")
    problem(alice.content("a"), 503, "storage-refused")
