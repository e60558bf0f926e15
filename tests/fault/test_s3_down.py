"""Contents in S3, and an S3 that is down, silent, cut off or refuses, and stays so."""
import concurrent.futures
import os
import threading

import pytest
from harness import PATIENCE_S, HarnessError, ok, problem, wait_for
from s3bench import MB, alice, coffer, error, needs_s3, new_blobs, proxy, records  # noqa: F401 (fixtures)

pytestmark = needs_s3

REFUSALS = [
    (403, "InvalidAccessKeyId", "storage-refused", "unknown-key"), (403, "SignatureDoesNotMatch", "storage-refused", "wrong-secret"),
    (403, "AccessDenied", "storage-refused", "access-denied"), (404, "NoSuchBucket", "storage-refused", "no-such-bucket"),
    (301, "PermanentRedirect", "storage-refused", "wrong-region"), (400, "AuthorizationHeaderMalformed", "storage-refused", "wrong-region"),
    (403, "RequestTimeTooSkewed", "storage-refused", "clock-skew"), (400, "ExpiredToken", "storage-refused", "expired-token"),
    (503, "SlowDown", "store-unavailable", "slow-down"), (200, "Nonsense", "store-unavailable", "nonsense"),
]


@pytest.mark.parametrize("status, code, public, name", [r for r in REFUSALS if r[0] != 200])
def test_what_is_wrong_is_told_apart(proxy, coffer, alice, status, code, public, name):
    ok(alice.put("a", b"x" * 1000), 201)
    proxy.status(status, error(code))
    said = set()
    for answer in (alice.put("b", b"y" * 1000), alice.content("a")):
        document = problem(answer, 503, public)
        assert int(answer.headers["retry-after"]) > 0
        assert document["detail"] != document["title"], document
        assert not any(word in answer.text for word in ("hidden words", os.environ["AWS_ACCESS_KEY_ID"], proxy.address, code)), answer.text
        said.add(document["detail"])
    assert len(said) == 1
    assert f": {name} (status {status}) {code}: hidden words" in coffer.log_text()
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in coffer.logs()
    assert alice.names() == ["a"]
    proxy.behave()
    ok(alice.put("b", b"y" * 1000), 201)
    ok(alice.content("a"))


def test_large_uploads_that_fail_leave_no_parts(proxy, coffer, alice):
    proxy.status(403, error("AccessDenied"), match=b"partNumber=2")
    problem(alice.put("a", b"x" * 40 * MB), 503, "storage-refused")
    assert [line.split()[0] for line in proxy.requests()][-1] == "DELETE"
    assert records(coffer) == []
    assert coffer.spool_is_empty()


def test_down_in_the_middle_and_back_again(proxy, coffer, alice):
    ok(alice.put("a", b"x" * 1000), 201)
    proxy.down()
    for _ in range(3):
        problem(alice.put("b", b"y" * 1000), 503, "store-unavailable")
        problem(alice.content("a"), 503, "store-unavailable")
        assert alice.names() == ["a"]
    assert "no-connection" in coffer.log_text()
    proxy.up()
    assert wait_for(lambda: alice.put("b", b"y" * 1000).status_code == 201)
    ok(alice.content("a"))


def test_silence_holds_up_nobody_else(proxy, coffer, alice):
    ok(alice.put("a", b"x" * 1000), 201)
    proxy.black_hole(match=b"PUT ")
    other = coffer.person()

    def others_go_first():
        proxy.heads.clear()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(alice.put, "b", b"y" * 1000)
            assert wait_for(lambda: proxy.requests(b"PUT "))
            assert other.names() == []
            ok(alice.content("a"))
            first = not waiting.done()  # a busy machine may need longer for these two than the silent S3 is given
            problem(waiting.result(), 503, "store-unavailable")
        assert len(proxy.requests(b"PUT ")) == 2, "given up after two tries"
        return first
    assert wait_for(others_go_first)
    assert "timeout" in coffer.log_text()


def test_down_at_the_start_is_refused_when_told_so(proxy, server_factory):
    coffer = server_factory(store_blobs=new_blobs(), store_s3_endpoint=proxy.url, store_wait="0", start=False)
    proxy.down()
    with pytest.raises(HarnessError, match="no-connection"):
        coffer.start()
    proxy.up()
    coffer.stop()
    coffer.start()


def test_down_at_the_start_is_waited_for(proxy, server_factory):
    coffer = server_factory(store_blobs=new_blobs(), store_s3_endpoint=proxy.url, store_wait="2m", start=False)
    proxy.down()
    coffer.start_with_a_store_that_comes_later(proxy.up)
    assert coffer.log_text().count("trying again for 120 s (store.wait)") == 1
    ok(coffer.person().put("a", b"x"), 201)


def test_a_bucket_of_another_installation_is_refused(server_factory):
    blobs = new_blobs()
    server_factory(store_blobs=blobs)
    with pytest.raises(HarnessError, match="different installations"):
        server_factory(store_blobs=blobs)


def test_a_crash_in_the_middle_leaves_no_parts(proxy, coffer, alice):
    proxy.black_hole(match=b"partNumber=2")
    thread = threading.Thread(target=lambda: pytest.raises(Exception, ok, alice.put("a", b"x" * 40 * MB)), daemon=True)
    thread.start()
    assert wait_for(lambda: records(coffer) and any("partNumber=2" in line for line in proxy.requests()))
    coffer.kill(*coffer.workers("bulk"))
    thread.join(PATIENCE_S)
    proxy.behave()
    coffer.cli("keeper", "--once")
    assert records(coffer) == []
    assert proxy.requests(b"DELETE")[-1].count("uploadId=") == 1
    assert alice.names() == []
