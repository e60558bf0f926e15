"""Contents in S3, and a fault that passes: an upload, large or small, and a download survive it."""
import httpx
import pytest
from harness import Noise, ok
from s3bench import MB, alice, coffer, error, needs_s3, proxy, records  # noqa: F401 (fixtures)

pytestmark = needs_s3


ONCE = {
    "busy": lambda p, m: p.status(503, times=1, match=m),
    "internal error": lambda p, m: p.status(500, error("InternalError"), times=1, match=m),
    "reset": lambda p, m: p.reset(times=1, match=m),
    "request cut": lambda p, m: p.cut_request(100, times=1, match=m),
    "answer lost": lambda p, m: p.swallow_answer(times=1, match=m),
    "answer cut": lambda p, m: p.cut_answer(20, times=1, match=m),
    "late": lambda p, m: p.delay(2, times=1, match=m),
}


@pytest.mark.parametrize("fault", ONCE)
@pytest.mark.parametrize("size", [1000, 3 * MB])
def test_an_upload_survives(proxy, alice, fault, size):
    data = Noise(size, seed=1).read()
    ONCE[fault](proxy, b"PUT ")
    ok(alice.put("a", data), 201)
    proxy.behave()
    assert ok(alice.content("a")).content == data


def test_a_lost_answer_is_looked_up_and_nothing_sent_twice(proxy, alice):
    proxy.swallow_answer(times=1, match=b"PUT ")
    ok(alice.put("a", b"x" * 1000), 201)
    assert [line.split()[0] for line in proxy.requests()] == ["PUT", "HEAD"]


@pytest.mark.parametrize("fault", ONCE)
@pytest.mark.parametrize("step", [b"?uploads", b"partNumber=2", b"POST /"])
def test_a_large_upload_survives(proxy, coffer, alice, fault, step):
    data = Noise(17 * MB, seed=2).read()
    ONCE[fault](proxy, step)
    ok(alice.put("a", data), 201)
    proxy.behave()
    assert ok(alice.content("a")).content == data
    assert records(coffer) == []


def test_a_200_with_an_error_in_it_is_an_error(proxy, coffer, alice):
    data = Noise(17 * MB, seed=3).read()
    proxy.status(200, error("InternalError"), times=1, match=b"?uploadId=")
    ok(alice.put("a", data), 201)
    assert ok(alice.content("a")).content == data
    proxy.status(200, error("SomethingNew"), match=b"POST ")
    assert alice.put("b", data).status_code == 503
    assert alice.names() == ["a"]


@pytest.mark.parametrize("fault", [name for name in ONCE if name not in ("answer cut", "request cut")])
def test_a_download_survives(proxy, alice, fault):
    data = Noise(3 * MB, seed=4).read()
    ok(alice.put("a", data), 201)
    ONCE[fault](proxy, b"GET ")
    assert ok(alice.content("a")).content == data


def test_a_download_that_breaks_off_is_seen_to(proxy, alice):
    ok(alice.put("a", Noise(3 * MB).read()), 201)
    proxy.cut_answer(MB, match=b"GET ")
    with pytest.raises(httpx.HTTPError):
        alice.content("a")
