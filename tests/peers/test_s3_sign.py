"""Coffer's S3 signatures against those of botocore, on odd keys, queries and headers.

The program sign_lines (made by `make`) signs what stands on its standard input. COFFER_SIGN names it; else it is looked
for beside the program that the tests run.
"""
import datetime
import json
import os
import random
import subprocess
import urllib.parse
from pathlib import Path
from unittest import mock

import pytest

import harness

botocore = pytest.importorskip("botocore", reason="botocore is not installed")
import botocore.auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402

NOW = datetime.datetime(2026, 2, 28, 23, 59, 59, tzinfo=datetime.timezone.utc)
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
KEYS = ["/", "/bucket/key", "/bucket/a b", "/bucket/a+b", "/bucket/%41", "/bucket/é/😀", "/bucket//double//", "/bucket/./../x",
        "/bucket/a?b#c", "/bucket/~-._", "/bucket/=&;,:@", "/bucket/'\"()*!", "/bucket/\\^`{|}<>[]", "/bucket/$name/$$ROOT",
        "/bucket/\u0301combining", "/bucket/" + "x" * 900]
QUERIES = [[], [["uploads", ""]], [["partNumber", "1"], ["uploadId", "a/b+c=="]], [["b", "2"], ["a", "1"], ["B", "3"]],
           [["list-type", "2"], ["prefix", "é/"], ["continuation-token", "1/abc+=="]], [["a-", "1"], ["a", "2"], ["a=", "3"]],
           [["space name", "space value"], ["~", "~"], ["*", "'()"]]]
HEADERS = [[], [["Range", "bytes=0-99"]], [["x-amz-meta-a", "  many   blanks "], ["If-None-Match", "*"]]]


@pytest.fixture(scope="module")
def sign():
    named = os.environ.get("COFFER_SIGN")
    program = Path(named) if named else harness.program().parent / "tests/peers/sign_lines"
    if not program.exists():
        pytest.skip(f"{program} is not built: run make, or set COFFER_SIGN")
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        def ask(**request):
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())
        yield ask
        process.stdin.close()


def cases():
    pick = random.Random(7)
    for key in KEYS:
        for query in QUERIES:
            yield pick.choice(["GET", "PUT", "POST", "HEAD", "DELETE"]), key, query, pick.choice(HEADERS), pick.choice(["", "token/+=="])


class Frozen(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return NOW.replace(tzinfo=None)

    @classmethod
    def now(cls, tz=None):
        return NOW if tz else NOW.replace(tzinfo=None)


def theirs(method, key, query, headers, token, kind, **options):
    """The request as botocore signs it."""
    url = "http://s3.example.org:9000" + urllib.parse.quote(key, safe="/~-._")
    request = AWSRequest(method=method, url=url, headers=dict(headers), params=dict(query))
    request.context["payload_signing_enabled"] = True
    request.context["client_config"] = None
    keys = Credentials("AKID", "secret/+=", token or None)
    with mock.patch.object(botocore.auth.datetime, "datetime", Frozen) if hasattr(botocore.auth, "datetime") and hasattr(
            botocore.auth.datetime, "datetime") else mock.patch.object(botocore.auth, "get_current_datetime", lambda **_: NOW.replace(tzinfo=None)):
        kind(keys, "s3", "eu-central-1", **options).add_auth(request)
    return request


def ours(sign, method, key, query, headers, token):
    return sign(method=method, host="s3.example.org:9000", path=key, query=query, headers=headers, payload=EMPTY, id="AKID",
                secret="secret/+=", token=token, region="eu-central-1", now=int(NOW.timestamp()), expires=900)


def parts(authorization):
    return dict(p.strip().split("=", 1) for p in authorization.split(" ", 1)[1].split(","))


def test_authorization_headers_are_those_of_botocore(sign):
    for case in cases():
        mine = parts(ours(sign, *case)["authorization"])
        assert mine == parts(theirs(*case, botocore.auth.S3SigV4Auth).headers["Authorization"]), case


def test_presigned_addresses_are_those_of_botocore(sign):
    for case in cases():
        mine = dict(urllib.parse.parse_qsl(ours(sign, *case)["presigned"], keep_blank_values=True))
        request = theirs(*case, botocore.auth.S3SigV4QueryAuth, expires=900)
        assert mine == dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.url).query, keep_blank_values=True)), case
