"""`coffer doctor`: each illness is caused once, found, and its cure named. Exit 0 well, 1 warnings, 2 errors."""
import json
import os
import subprocess

import pytest
from harness import PATIENCE_S, alive, ok, sqlite_rows


def findings(coffer, status):
    """{code: level} of everything but notes."""
    done = coffer.cli("doctor", "--json", check=False)
    found = json.loads(done.stdout)
    assert done.returncode == status, found
    for finding in found:
        assert finding["what"][-1] in ".)" and finding["cure"].endswith("."), finding
    return {finding["code"]: finding["level"] for finding in found if finding["level"] != "note"}


@pytest.fixture
def well(server_factory):
    coffer = server_factory()
    coffer.person()
    return coffer


def test_a_sound_installation_is_well(well):
    assert findings(well, 0) == {}
    done = well.cli("doctor")
    assert "all" in done.stdout and "checks are well" in done.stdout


def test_with_a_certificate_too(server_factory):
    coffer = server_factory(tls=True)
    coffer.person()
    found = findings(coffer, 1)
    assert found == {"certificate": "warning"}  # the tests' own is for two days


@pytest.mark.sqlite("looks into the database or the folder of blobs")
def test_the_test_leaves_nothing_behind(well):
    alice = well.people[0]
    findings(well, 0)
    assert alice.names() == [] and ok(alice.get("/api/v1/me"))
    assert sqlite_rows(well.database(), "SELECT count(*) FROM session WHERE agent = 'coffer doctor'") == [(0,)]
    assert well.fsck().returncode == 0


@pytest.mark.sqlite("looks into the database or the folder of blobs")
@pytest.mark.parametrize("what, code, level", [
    ("data open", "folders", "warning"), ("no incoming", "folders", "error"), ("key readable", "secrets", "error"),
    ("database readable", "secrets", "error"), ("other key", "front-key", "error"), ("old file", "web-server", "error"),
    ("no assets", "pages", "error"), ("clock", "clock", "error"),
])
def test_illnesses(well, what, code, level):
    if what == "data open":
        well.data.chmod(0o755)
    elif what == "no incoming":
        (well.data / "incoming").rename(well.data / "outgoing")
    elif what == "key readable":
        (well.data / "front.key").chmod(0o644)
    elif what == "database readable":
        well.database().chmod(0o640)
    elif what == "other key":
        (well.data / "front.key").write_text("x" * 43)
    elif what == "old file":
        well.write_conf(limits_json="2M")
    elif what == "no assets":
        well.write_conf(server_assets=well.dir / "nowhere")
    elif what == "clock":
        well.stop()  # the keeper would write to it
        os.utime(well.database(), (4_000_000_000, 4_000_000_000))
    found = findings(well, 2 if level == "error" else 1)
    assert found[code] == level


def test_nobody_there(well):
    well.stop()
    assert findings(well, 2) == {"answers": "error"}


def test_workers_gone(well):
    well.coffer.terminate()
    well.coffer.wait(PATIENCE_S)
    assert findings(well, 2) == {"answers": "error"}


def test_plain_http_on_the_network(coffer):
    coffer.write_conf(site_public_url="http://files.example.org", site_insecure_http="yes")
    assert findings(coffer, 2)["address"] == "warning"


def test_certificate_and_key_of_different_pairs(server_factory):
    one, other = server_factory(tls=True), server_factory(tls=True)
    one.write_conf(web_certificate_key=other.dir / "key.pem")
    done = one.cli("doctor", check=False)
    assert done.returncode == 2 and "do not belong together" in done.stdout


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no second file system")
def test_two_file_systems(server_factory, tmp_path):
    import tempfile
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        os.chmod(other, 0o700)
        coffer = server_factory(store_blobs=f"disk:{other}/blobs")
        assert findings(coffer, 1) == {"one-disk": "warning"}


PRELOADED = pytest.mark.plain("the sanitizers' own library has to be loaded first")


def pretend(tmp_path, call, member, value):
    """A library that makes statfs or statvfs tell something else of every disk."""
    source, library = tmp_path / "pretend.c", tmp_path / "pretend.so"
    source.write_text("#define _GNU_SOURCE\n#include <sys/vfs.h>\n#include <sys/statvfs.h>\n#include <string.h>\n" + "".join(
        f"int {call}{bits}(const char *p, struct {call}{bits} *s) {{ (void)p; memset(s, 0, sizeof *s); s->{member} = {value}; return 0; }}\n"
        for bits in ("", "64")))
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return str(library)


@PRELOADED
@pytest.mark.sqlite("looks into the database or the folder of blobs")
@pytest.mark.parametrize("magic, name", [("0x6969", "NFS"), ("0xff534d42", "CIFS"), ("0x65735546", "FUSE")])
def test_a_database_on_a_network_disk_is_refused(coffer, tmp_path, magic, name):
    environment = coffer.environment() | {"LD_PRELOAD": pretend(tmp_path, "statfs", "f_type", magic)}
    done = subprocess.run([coffer.binary, "doctor"], env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 2 and f"local-disk: {coffer.database()} is on {name}" in done.stdout
    done = subprocess.run([coffer.binary, "serve"], env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 1 and name in done.stderr


@PRELOADED
def test_a_full_disk(coffer, tmp_path):
    environment = coffer.environment() | {"LD_PRELOAD": pretend(tmp_path, "statvfs", "f_frsize = 4096; s->f_blocks", "1 << 20")}
    done = subprocess.run([coffer.binary, "doctor"], env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 2 and "error free-space: " in done.stdout


def test_serve_logs_what_it_finds_and_starts(well):
    well.stop()
    well.data.chmod(0o755)
    mark = well.log_mark()
    well.start_coffer()
    assert any("folders" in str(line) for line in well.log_lines("doctor", mark))
    assert alive(well.coffer.pid)


@pytest.mark.parametrize("arguments", [["x"], ["--nothing"]])
def test_wrong_usage(coffer, arguments):
    assert coffer.cli("doctor", *arguments, check=False).returncode == 64
