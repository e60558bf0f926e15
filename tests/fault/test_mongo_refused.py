"""A MongoDB that will not do, or is not there: the refusal says what to do."""
import subprocess

import pytest
from harness import HarnessError, free_port, ok
from mongobench import assert_whole, needs_mongodb
from mongowire import MongoServer, SaysOfItself, command

pytestmark = needs_mongodb


def refusal(server_factory, uri):
    """What `serve` says before it gives up."""
    coffer = server_factory(start=False, store_metadata=uri, store_wait="0")
    with pytest.raises(HarnessError, match="coffer serve ended"):
        coffer.start(web=False)
    return coffer.log_text()


def test_what_is_no_replica_set_is_refused(server_factory):
    with MongoServer("--standalone") as server:
        said = refusal(server_factory, server.uri())
    assert "not a replica set" in said and "--replSet" in said and "rs.initiate()" in said


def test_what_is_too_old_is_refused(server_factory):
    with SaysOfItself(setName="rs0", maxWireVersion=9) as old:  # MongoDB 4.4
        said = refusal(server_factory, old.uri)
    assert "too old" in said and "5.0" in said


def test_nobody_there_is_told(server_factory):
    said = refusal(server_factory, f"mongodb://127.0.0.1:{free_port()}/coffer")
    assert "nobody answers" in said and "store.metadata" in said


def test_no_such_host_is_told(server_factory):
    assert "no such host" in refusal(server_factory, "mongodb://nowhere.invalid/coffer")


@pytest.fixture(scope="module")
def locked():
    """A server that wants to know who asks: made without --auth, then started with it."""
    with MongoServer() as server:
        command(server.port, "admin", {"createUser": "coffer", "pwd": "sesame", "roles": ["root"]})
        server.stop()
        server.start("--auth")
        yield server


def test_a_wrong_password_is_told_and_not_shown(server_factory, locked):
    said = refusal(server_factory, locked.uri(options="?authSource=admin", login="coffer:opensaysme@"))
    assert "user or password are refused" in said and "authSource" in said
    assert "opensaysme" not in said


def test_no_password_at_all_is_told(server_factory, locked):
    assert "has to name one" in refusal(server_factory, locked.uri())


def test_with_user_and_password_it_works(server_factory, locked):
    coffer = server_factory(store_metadata=locked.uri(options="?authSource=admin", login="coffer:sesame@"))
    alice = coffer.person()
    ok(alice.put("a", b"hello"), 201)
    assert ok(alice.content("a")).content == b"hello"
    assert "sesame" not in coffer.logs() + coffer.cli("config").stdout
    assert_whole(coffer)


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    """A server that speaks TLS, and its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], check=True,
                   capture_output=True)
    with MongoServer("--tls-cert-file", certificate, "--tls-key-file", key) as server:
        yield server, certificate


def test_a_certificate_nobody_vouches_for_is_refused(server_factory, secret):
    said = refusal(server_factory, secret[0].uri(options="?tls=true"))
    assert "TLS is refused" in said and "tlsCAFile" in said


def test_with_its_certificate_it_works(server_factory, secret):
    server, certificate = secret
    coffer = server_factory(store_metadata=server.uri(options=f"?tls=true&tlsCAFile={certificate}"))
    alice = coffer.person()
    ok(alice.put("a", b"hello"), 201)
    assert ok(alice.content("a")).content == b"hello"
    assert_whole(coffer)
