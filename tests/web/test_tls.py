"""The same over TLS and HTTP/2."""
import json
import socket
import ssl
import subprocess

import pytest
from harness import PATIENCE_S, Noise, ok, problem, sha256


@pytest.fixture
def dora(tls_server):
    return tls_server.person(http2=True)


@pytest.mark.parametrize("size", [0, 1, 100_000, 300_000, 5_000_000])
@pytest.mark.parametrize("told", [True, False], ids=["length told", "length not told"])
def test_files_over_http2(dora, size, told):
    noise = Noise(size)
    data = noise.read()
    response = ok(dora.put("f", data if told else iter([data[:10], data[10:]])), 201)
    assert response.http_version == "HTTP/2"
    assert sha256(ok(dora.content("f")).content) == sha256(data)


def test_a_form_over_http2(dora):
    ok(dora.upload(("a", b"1" * 300_000), ("b", b"2")), 201)
    assert dora.names() == ["a", "b"]


def test_an_upload_that_is_refused_over_http2(tls_server, tmp_path):
    """By curl: httpx does not look for the answer before it has sent the whole body."""
    body = tmp_path / "body"
    body.write_bytes(b"x" * 5_000_000)
    done = subprocess.run(["curl", "-sk", "--http2", "-m", str(PATIENCE_S), "-T", body, "-w", "\n%{http_code} %{http_version}", f"{tls_server.url}/api/v1/content/a"],
                          capture_output=True, text=True)
    document, status = done.stdout.rsplit("\n", 1)
    assert status == "401 2" and json.loads(document)["code"] == "not-signed-in", done


def test_ranges_and_conditions_over_http2(dora):
    tag = dora.put("f", b"0123456789" * 50_000).headers["etag"]
    assert ok(dora.content("f", headers={"Range": "bytes=5-9"}), 206).content == b"56789"
    assert dora.content("f", headers={"If-None-Match": tag}).status_code == 304


def test_the_session_cookie_stays_on_https(dora):
    (cookie,) = [c for c in dora.http.cookies.jar if c.name == "__Host-coffer"]
    assert cookie.secure


@pytest.mark.parametrize("version, welcome", [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)])
def test_tls_versions(tls_server, version, welcome):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", tls_server.port), timeout=PATIENCE_S) as s:
        if not welcome:
            with pytest.raises((ssl.SSLError, OSError)):
                context.wrap_socket(s)
        else:
            with context.wrap_socket(s) as wrapped:
                assert wrapped.version()


def test_origin_is_compared_with_https(dora):
    problem(dora.post("/api/v1/folders", json={"name": "x"}, headers={"Origin": dora.coffer.url.replace("https", "http")}), 403, "cross-site")
    ok(dora.post("/api/v1/folders", json={"name": "x"}, headers={"Origin": dora.coffer.url}), 201)
