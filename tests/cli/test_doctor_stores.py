"""`coffer doctor` and stores behind a network: each trouble is caused, told apart, and its cure named."""
import json
import os

import pytest
from harness import free_port
from s3bench import proxy  # noqa: F401 (a fixture)
from stores import installation, needs_mongodb, needs_s3


def findings(coffer, code):
    """[(what, cure)] of one check."""
    done = coffer.cli("doctor", "--json", check=False)
    return [(finding["what"], finding["cure"]) for finding in json.loads(done.stdout) if finding["code"] == code]


@pytest.fixture
def in_s3(server_factory, proxy):
    return installation(server_factory, "sqlite", "s3", store_s3_endpoint=proxy.url)


@needs_s3
def test_a_sound_bucket_is_well_and_nothing_stays_in_it(in_s3, proxy):
    proxy.heads.clear()
    assert findings(in_s3, "s3") == []
    asked = [head.split(b" ")[:2] for head in proxy.heads if b"/doctor-" in head.split(b"\r\n")[0]]
    assert [method.decode() for method, _ in asked] == ["PUT", "GET", "DELETE", "DELETE"]
    assert len({path.split(b"?")[0] for _, path in asked}) == 1


@needs_s3
@pytest.mark.parametrize("status, code, trouble, cure", [
    (403, "InvalidAccessKeyId", "unknown-key", "AWS_ACCESS_KEY_ID"), (403, "SignatureDoesNotMatch", "wrong-secret", "AWS_SECRET_ACCESS_KEY"),
    (404, "NoSuchBucket", "no-such-bucket", "Make the bucket"), (301, "PermanentRedirect", "wrong-region", "store.s3_region"),
    (403, "RequestTimeTooSkewed", "clock-skew", "Set the clock"), (400, "ExpiredToken", "expired-token", "Renew"),
])
def test_what_is_wrong_with_s3(in_s3, proxy, status, code, trouble, cure):
    proxy.status(status, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>so it is</Message></Error>".encode())
    (what, said), = findings(in_s3, "s3")
    assert trouble in what and code in what and cure in said, (what, said)
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in what + said


@needs_s3
@pytest.mark.parametrize("match", [b"PUT ", b"GET ", b"DELETE ", b"uploadId="])
def test_a_permission_that_lacks_is_answered_with_the_policy(in_s3, proxy, match):
    proxy.status(403, b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", match=match)
    found = findings(in_s3, "s3")
    assert found and all("access-denied" in what for what, _ in found), found
    policy = json.loads(found[0][1].partition(": ")[2].rstrip("."))["Statement"][0]
    assert policy["Action"] == ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    assert policy["Resource"] == "arn:aws:s3:::" + in_s3.settings["store.blobs"].removeprefix("s3://") + "/*"


@needs_s3
def test_an_s3_that_is_not_there(in_s3):
    in_s3.write_conf(store_s3_endpoint=f"http://127.0.0.1:{free_port()}")
    (what, cure), = findings(in_s3, "s3")
    assert "no-connection" in what and "Start the S3 server" in cure


@needs_mongodb
def test_a_sound_mongodb_is_well(server_factory):
    assert findings(installation(server_factory, "mongodb", "disk"), "mongodb") == []


def test_a_mongodb_that_is_not_there(coffer):
    coffer.write_conf(store_metadata=f"mongodb://somebody:hidden@127.0.0.1:{free_port()}/coffer")
    (what, cure), = findings(coffer, "mongodb")
    assert "cannot be reached" in what and "Start MongoDB" in cure and "hidden" not in what + cure


def test_an_address_that_is_none(coffer):
    coffer.write_conf(store_metadata="mongodb://somebody:hidden@/coffer")
    (what, cure), = findings(coffer, "mongodb")
    assert "cannot be used" in what and "Correct store.metadata" in cure and "hidden" not in what + cure
