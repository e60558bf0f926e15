"""Quota: charged before the bytes, given back whatever happens."""
import concurrent.futures

import pytest
from harness import ok, problem, wait_for

LIMIT = 1 << 20


@pytest.fixture
def carol(server_factory):
    """Somebody with one mebibyte."""
    return server_factory(quota_default="1M").person()


def test_me_tells_the_quota(carol):
    assert (carol.me()["used"], carol.me()["quota"]) == (0, LIMIT)


@pytest.mark.stores
def test_the_last_byte_fits_and_one_more_does_not(carol):
    ok(carol.put("full", b"x" * LIMIT), 201)
    assert carol.me()["used"] == LIMIT
    problem(carol.put("more", b"x"), 507, "quota-exceeded")
    ok(carol.put("empty", b""), 201)


@pytest.mark.stores
@pytest.mark.parametrize("way", ["small", "large", "chunked", "form", "large form"])
def test_too_much_is_refused_and_changes_nothing(carol, way):
    ok(carol.put("there", b"x" * (LIMIT - 100)), 201)
    size = 300_000 if way.startswith("large") or way == "chunked" else 1000
    data = b"y" * size
    if way.endswith("form"):
        response = carol.upload(("new", data))
    else:
        response = carol.put("new", iter([data]) if way == "chunked" else data)
    problem(response, 507, "quota-exceeded")
    assert carol.names() == ["there"] and carol.me()["used"] == LIMIT - 100
    assert carol.coffer.spool_is_empty() and len(carol.coffer.blobs()) == 1


def test_delete_makes_room(carol):
    record = ok(carol.put("a", b"x" * LIMIT), 201).json()
    ok(carol.delete(f"/api/v1/files/{record['id']}"), 204)
    ok(carol.put("b", b"x" * LIMIT), 201)


def test_replacing_settles_the_difference(carol):
    ok(carol.put("a", b"x" * 300_000), 201)
    ok(carol.put("a", b"x" * 10), 200)
    assert carol.me()["used"] == 10
    ok(carol.put("a", b"x" * 500_000), 200)
    assert carol.me()["used"] == 500_000


@pytest.mark.stores
@pytest.mark.parametrize("size", [150_000, 300_000], ids=["small", "large"])
def test_many_at_once_never_pass_the_limit(carol, size):
    clients = [carol.coffer.anon().login(carol.name) for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: clients[n].put(f"f{n}", b"x" * size), range(8)))
    made = [a for a in answers if a.status_code == 201]
    assert len(made) == LIMIT // size
    for refused in (a for a in answers if a.status_code != 201):
        problem(refused, 507, "quota-exceeded")
    assert carol.me()["used"] == len(made) * size


def test_a_refused_name_gives_the_reservation_back(carol):
    carol.file("a", b"1")
    problem(carol.upload(("a", b"x" * 600_000)), 409, "name-taken")
    ok(carol.put("b", b"x" * 600_000), 201)
    assert carol.me()["used"] == 600_001


@pytest.mark.stores
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_an_upload_that_breaks_off_gives_its_space_back(carol, chunked):
    coffer = carol.coffer
    if chunked:
        head = coffer.request_text("PUT", "/api/v1/content/a", "Transfer-Encoding: chunked", cookie=carol.cookie)
        body = b"186a0\r\n" + b"x" * 100_000 + b"\r\n30d40\r\n" + b"x" * 1000
    else:
        head = coffer.request_text("PUT", "/api/v1/content/a", "Content-Length: 900000", cookie=carol.cookie)
        body = b"x" * 100_000
    with coffer.connect() as s:
        s.sendall(head + body)
    assert wait_for(lambda: carol.put("b", b"y" * (LIMIT - 1000)).status_code in (200, 201), step=0.2)
    assert carol.names() == ["b"] and carol.me()["used"] == LIMIT - 1000


def test_the_answer_tells_what_is_left(carol):
    ok(carol.put("a", b"x" * (LIMIT - 100)), 201)
    assert problem(carol.put("b", b"x" * 101), 507, "quota-exceeded")["limit"] == 100
