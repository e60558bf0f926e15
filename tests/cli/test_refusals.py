"""Every command of the table, and what it refuses: a row for each, and a test that names the command without one."""
import re
import subprocess
from pathlib import Path

import pytest
from harness import TOP, Installation

TABLE = (TOP / "fcgi-app/cli/command.c").read_text()
ROWS = re.findall(r'^    \{"([a-z ]+)", "[^"]*", (?:"(?:[^"\\]|\\.)*"|NULL),\s*(true|false)', TABLE, re.M)
COMMANDS = [name for name, _ in ROWS]
BARE = {name for name, bare in ROWS if bare == "true"}
PASSWORD = "correct horse battery staple 42\n"

# command: [(arguments, exit status, a word of the sentence)]; ann is an account, nobody is none
REFUSALS = {
    "serve": [(["x"], 64, "usage"), (["--nothing"], 64, "unknown option")],
    "keeper": [([], 64, "usage"), (["--once", "x"], 64, "usage"), (["--twice"], 64, "unknown option")],
    "front": [([], 64, "usage"), (["iis"], 64, "usage"), (["nginx", "x"], 64, "usage")],
    "user add": [([], 64, "usage"), (["a", "b"], 64, "usage"), (["--king", "a"], 64, "unknown option"), (["Ann"], 1, "name-taken"),
                 (["no name"], 1, "invalid-field")],
    "user list": [(["x"], 64, "usage"), (["--all"], 64, "unknown option")],
    "user passwd": [([], 64, "usage"), (["nobody"], 1, "no user nobody")],
    "user disable": [([], 64, "usage"), (["nobody"], 1, "no account nobody")],
    "user enable": [([], 64, "usage"), (["nobody"], 1, "no account nobody")],
    "user role": [(["ann"], 64, "usage"), (["ann", "king"], 64, "usage"), (["nobody", "user"], 1, "no account nobody")],
    "user quota": [([], 64, "usage"), (["ann", "1X"], 64, "usage"), (["nobody"], 1, "no account nobody")],
    "user remove": [([], 64, "usage"), (["--files", "keep", "ann"], 64, "usage"), (["--files"], 64, "a value is missing"),
                    (["nobody"], 1, "no account nobody"), (["--files", "transfer=ann", "ann"], 1, "cycle")],
    "user invite": [(["x"], 64, "usage"), (["--days", "0"], 64, "usage"), (["--days", "366"], 64, "usage")],
    "user reset": [([], 64, "usage"), (["nobody"], 1, "no account nobody")],
    "import": [([], 64, "usage"), (["--link", "--copy", ".", "ann:/"], 64, "usage"), (["/nowhere", "ann:/"], 1, "cannot be opened"),
               ([".", "ann"], 1, "NAME:/folder"), ([".", "nobody:/"], 1, "no such account"), ([".", "ann:/a/../b"], 1, "bad-name")],
    "export": [([], 64, "usage"), (["ann:/", "/nowhere/below"], 1, "cannot be made"), (["ann:/none", "x"], 1, "no such file"),
               (["nobody:/", "x"], 1, "no such account")],
    "backup": [([], 64, "usage"), (["/nowhere/below"], 1, "cannot be made"), (["data/b"], 1, "does not belong into the data folder")],
    "restore": [([], 64, "usage"), (["/nowhere"], 1, "no complete backup")],
    "migrate": [([], 64, "usage"), (["--blobs", "-", "-"], 1, "same store"), (["--metadata", "-", "-"], 1, "same store"),
                (["--metadata", "--blobs", "-", "-"], 64, "usage"), (["--metadata", "disk:x", "-"], 78, "FROM: store.metadata must be"),
                (["--blobs", "-", "sqlite:x"], 78, "TO: store.blobs must be")],
    "doctor": [(["x"], 64, "usage"), (["--nothing"], 64, "unknown option")],
    "fsck": [(["x"], 64, "usage"), (["--nothing"], 64, "unknown option")],
    "gc": [(["x"], 64, "usage"), (["--nothing"], 64, "unknown option")],
    "config": [(["x"], 64, "usage"), (["--nothing"], 64, "unknown option")],
    "version": [],  # prints, whatever is said
    "help": [(["nothing"], 64, "")],
    "man": [([], 64, "usage"), (["coffer.1"], 64, "usage")],
}
REFUSED = [pytest.param(name, *row, id=" ".join([name, *row[0]])) for name, rows in REFUSALS.items() for row in rows]


@pytest.fixture(scope="module")
def place():
    """One installation for all: what is refused changes nothing."""
    with Installation(name="refusals") as made:
        made.start(web=False)
        made.stop()
        made.cli("user", "add", "ann", stdin=PASSWORD)
        yield made


def test_every_command_has_its_refusals_here_and_a_test_of_what_it_does():
    assert len(COMMANDS) > 20 and set(REFUSALS) == set(COMMANDS)
    tests = "".join(path.read_text() for folder in ("cli", "web", "fault") for path in sorted((TOP / "tests" / folder).glob("*.py"))
                    if path != Path(__file__).resolve())
    tests += (TOP / "tests/harness.py").read_text() + (TOP / "tests/stores.py").read_text()
    for name in COMMANDS:
        words = r'",\s*"'.join(map(re.escape, name.split()))
        assert re.search(rf'(?:\w\(|binary, |\[)"{words}"', tests), f"no test runs coffer {name}"


@pytest.mark.parametrize("name, arguments, status, word", REFUSED)
def test_what_is_refused(place, name, arguments, status, word):
    done = place.cli(*name.split(), *arguments, stdin=PASSWORD, check=False)
    assert (done.returncode, word in done.stderr) == (status, True), done.stderr


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in BARE])
def test_no_command_works_with_a_configuration_that_is_not_valid(place, tmp_path, name):
    (tmp_path / "bad.conf").write_text("[site]\npublic_url = ftp://x\n")
    done = subprocess.run([place.binary, "--config", tmp_path / "bad.conf", *name.split()], env=place.environment(), capture_output=True, text=True)
    assert done.returncode == 78 and "site.public_url must begin with" in done.stderr, done.stderr
