"""What the tests of an S3 that misbehaves stand on: an installation with its contents in S3, and s3proxy.py between the two.

Needs a real server: COFFER_TEST_S3_URI=s3://BUCKET/PREFIX with AWS_ENDPOINT_URL (plain http), AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY; tests/servers/s3 starts one.
"""
import os

import pytest
import stores
from harness import free_port
from s3proxy import S3Proxy
from stores import needs_s3  # noqa: F401 (for those who stand on this)

MB = 1 << 20


def new_blobs():
    """The address of a store of the test's own."""
    return stores.new_blobs("s3", None)


def proxy_of_s3():
    return S3Proxy(os.environ["AWS_ENDPOINT_URL"].removeprefix("http://").rstrip("/"), free_port())


def error(code):
    """What S3 says with it."""
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>hidden words</Message></Error>".encode()


def records(coffer):
    """Of the uploads in parts that are not over."""
    return list((coffer.data / "s3-multipart").iterdir())


@pytest.fixture
def proxy():
    with proxy_of_s3() as proxy:
        yield proxy


@pytest.fixture
def coffer(proxy, server_factory):
    coffer = server_factory(store_blobs=new_blobs(), store_s3_endpoint=proxy.url)
    proxy.heads.clear()
    yield coffer
    proxy.behave()
    found = coffer.fsck()
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.fixture
def alice(coffer):
    return coffer.person()
