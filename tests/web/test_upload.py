"""POST /upload: forms of any size, several files, what happens when the name is taken."""
import pytest
from harness import Noise, ok, problem, sha256

BOUNDARY = "----boundary7d9"


def form(*parts, end=True):
    """A form by hand: (headers after 'form-data', contents) each."""
    body = b"".join(b"--%s\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (BOUNDARY.encode(), head, contents) for head, contents in parts)
    return body + (b"--%s--\r\n" % BOUNDARY.encode() if end else b"")


def post(client, body, kind=f"multipart/form-data; boundary={BOUNDARY}", path="/api/v1/upload"):
    return client.post(path, content=body, headers={"Content-Type": kind})


@pytest.mark.door
@pytest.mark.route("upload")
def test_upload_answers_the_record(alice):
    record = ok(alice.upload(("a.txt", b"hello")), 201).json()
    assert (record["kind"], record["name"], record["size"], record["parent"]) == ("file", "a.txt", 5, alice.root)
    assert ok(alice.get(f"/api/v1/files/{record['id']}")).content == b"hello"


def test_upload_into_a_folder_by_query(alice):
    folder = alice.folder("docs")
    record = ok(alice.upload(("a.txt", b"1"), parent=folder["id"]), 201).json()
    assert record["parent"] == folder["id"] and alice.names() == ["docs"]


@pytest.mark.door
def test_upload_into_a_folder_by_field(alice):
    folder = alice.folder("docs")
    record = ok(alice.upload(("a.txt", b"1"), data={"parent": folder["id"]}), 201).json()
    assert record["parent"] == folder["id"]


def test_the_parent_field_may_stand_after_the_file(alice):
    folder = alice.folder("docs")["id"].encode()
    body = form((b'name="file"; filename="a"', b"1"), (b'name="parent"', folder))
    assert ok(post(alice, body), 201).json()["parent"] == folder.decode()


def test_two_parents_that_differ_are_refused(alice):
    one, two = alice.folder("one")["id"], alice.folder("two")["id"]
    problem(alice.upload(("a.txt", b"1"), data={"parent": one}, parent=two), 400, "parent-mismatch")
    assert alice.names(one) == alice.names(two) == []


def test_two_parents_that_agree_pass(alice):
    folder = alice.folder("one")["id"]
    ok(alice.upload(("a.txt", b"1"), data={"parent": folder}, parent=folder), 201)


@pytest.mark.door
@pytest.mark.parametrize("size", [1, 300_000], ids=["small", "large"])
def test_several_files_have_a_result_each(alice, size):
    alice.file("b.txt", b"old")
    response = ok(alice.upload(("a.txt", b"A" * size), ("b.txt", b"B" * size), ("c.txt", b"C" * size)), 201)
    a, b, c = response.json()["items"]
    assert (a["name"], c["name"]) == ("a.txt", "c.txt")
    assert b["code"] == "name-taken" and b["status"] == 409
    assert alice.names() == ["a.txt", "b.txt", "c.txt"] and alice.content("b.txt").content == b"old"
    assert alice.content("c.txt").content == b"C" * size
    assert alice.me()["used"] == 3 + 2 * size


def test_conflict_fails_unless_told_otherwise(alice):
    alice.file("a.txt", b"old")
    problem(alice.upload(("a.txt", b"new")), 409, "name-taken")
    problem(alice.upload(("a.txt", b"new"), conflict="fail"), 409, "name-taken")
    assert alice.content("a.txt").content == b"old" and alice.me()["used"] == 3


@pytest.mark.stores
def test_conflict_replace_keeps_the_id(alice):
    old = alice.file("a.txt", b"old")
    new = alice.upload(("a.txt", b"newer"), conflict="replace").json()
    assert new["id"] == old["id"] and new["etag"] != old["etag"]
    assert alice.content("a.txt").content == b"newer" and alice.me()["used"] == 5


@pytest.mark.stores
def test_conflict_rename_counts(alice):
    alice.file("a.txt")
    names = [ok(alice.upload(("a.txt", b"x"), conflict="rename"), 201).json()["name"] for _ in range(3)]
    assert names == ["a (1).txt", "a (2).txt", "a (3).txt"]


@pytest.mark.parametrize("name, renamed", [("noext", "noext (1)"), (".hidden", ".hidden (1)"), ("a.tar.gz", "a.tar (1).gz")])
def test_conflict_rename_puts_the_number_before_the_extension(alice, name, renamed):
    alice.file(name)
    assert ok(alice.upload((name, b"x"), conflict="rename"), 201).json()["name"] == renamed


def test_conflict_rename_of_a_name_of_255_bytes_stays_within_255(alice):
    name = "ä" * 125 + ".text"
    alice.file(name)
    renamed = ok(alice.upload((name, b"x"), conflict="rename"), 201).json()["name"]
    assert renamed.endswith(" (1).text") and len(renamed.encode()) <= 255


def test_conflict_knows_three_words(alice):
    assert problem(alice.upload(("a", b"x"), conflict="explode"), 422, "invalid-field")["field"] == "conflict"


def test_replace_of_a_folder_is_refused(alice):
    alice.folder("a")
    response = alice.upload(("a", b"x"), conflict="replace")
    assert response.status_code == 409 and response.json()["code"] in ("is-a-folder", "name-taken")


def test_upload_needs_a_sign_in(anon):
    problem(anon.upload(("a", b"x")), 401, "not-signed-in")


@pytest.mark.parametrize("size", [10, 300_000])
def test_upload_below_a_file_is_refused(alice, size):
    parent = alice.file("a.txt")["id"]
    problem(alice.upload(("b", b"x" * size), parent=parent), 409, "not-a-folder")


def test_mtime_is_kept(alice):
    record = ok(alice.upload(("a", b"x"), mtime="2020-02-03T04:05:06.789Z"), 201).json()
    assert record["modified"] == "2020-02-03T04:05:06.789Z"


@pytest.mark.door
def test_a_large_form_of_5_megabytes(alice):
    noise = Noise(5_000_000)
    record = ok(alice.upload(("big.bin", noise.read())), 201).json()
    assert sha256(alice.get(f"/api/v1/files/{record['id']}").content) == noise.sha256()


@pytest.mark.door
@pytest.mark.parametrize("size", [100, 300_000], ids=["small", "large"])
def test_a_chunked_form(alice, size):
    body = form((b'name="file"; filename="a.bin"', b"z" * size))
    ok(post(alice, iter([body[:50], body[50:]])), 201)
    assert alice.content("a.bin").content == b"z" * size


def test_contents_that_look_like_a_boundary(alice):
    tricky = b"\r\n--" + BOUNDARY.encode()[:-1] + b"\r\n--\r\n\r\n" + BOUNDARY.encode() + b"\r\n-"
    ok(post(alice, form((b'name="file"; filename="t"', tricky))), 201)
    assert alice.content("t").content == tricky


def test_an_empty_file(alice):
    record = ok(alice.upload(("empty", b"")), 201).json()
    assert record["size"] == 0 and alice.content("empty").content == b""


# ---- names in forms
@pytest.mark.parametrize("head, name", [
    (b'filename="plain.txt"', "plain.txt"),
    (b'filename=plain.txt', "plain.txt"),
    ('filename="Ünï çödé 文件.txt"'.encode(), "Ünï çödé 文件.txt"),
    (b"filename=\"x\"; filename*=UTF-8''%E2%82%AC.txt", "€.txt"),
    (b'filename="C:\\\\Users\\\\me\\\\photo.jpg"', "photo.jpg"),
    (b'filename="/etc/passwd"', "passwd"),
    (b'filename="quo%22te.txt"', 'quo"te.txt'),
    (b'filename="a; b=c.txt"', "a; b=c.txt"),
    (b'filename="<img onerror=alert(1) src=x>"', "<img onerror=alert(1) src=x>"),
])
def test_names_of_files_in_forms(alice, head, name):
    assert ok(post(alice, form((b'name="file"; ' + head, b"x"))), 201).json()["name"] == name


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/..", b"a\x01b", b"\xff\xfe", "‮gpj.exe".encode(), b"n" * 256])
def test_refused_names_in_forms(alice, name):
    response = post(alice, form((b'name="file"; filename="' + name + b'"', b"x")))
    assert response.status_code in (400, 422) and response.json()["code"] in ("bad-name", "bad-multipart", "missing-field"), response.text
    assert alice.names() == [] and alice.me()["used"] == 0


# ---- broken forms
@pytest.mark.stores
@pytest.mark.parametrize("size", [10, 300_000], ids=["small", "large"])
@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_form_without_its_end_stores_nothing(alice, size, cut):
    body = form((b'name="file"; filename="a"', b"x" * size))
    problem(post(alice, body[:-(len(BOUNDARY) + 6 + cut)]), 400, "incomplete-body")
    assert alice.names() == [] and alice.me()["used"] == 0


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 71])
def test_a_form_without_a_valid_boundary(alice, kind):
    problem(post(alice, form((b'name="file"; filename="a"', b"x")), kind), 400, "bad-multipart")


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/mixed; boundary=x"])
def test_another_type_is_refused(alice, kind):
    problem(post(alice, b"hello", kind), 415, "unsupported-media-type")


def test_a_form_without_a_file(alice):
    assert problem(post(alice, form((b'name="comment"', b"x"))), 422, "missing-field")["field"] == "file"


def test_a_form_that_is_no_form(alice):
    response = post(alice, b"\0\1\2 no form at all" * 100)
    assert response.status_code == 400 and response.json()["code"] in ("bad-multipart", "incomplete-body")


def test_a_part_with_endless_headers(alice):
    body = form((b'name="file"; filename="a"\r\nX-Long: ' + b"y" * 20_000, b"x"))
    problem(post(alice, body), 400, "bad-multipart")


def test_too_many_parts(alice):
    body = form(*[(b'name="x"', b"")] * 10_001)
    problem(post(alice, body), 400, "bad-multipart")
