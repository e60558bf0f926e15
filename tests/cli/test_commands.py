"""Help, manual, JSON: what every command has in common."""
import json
import os
import re
import shutil
import subprocess

import pytest
from harness import TOP, sqlite_rows

COMMANDS = re.findall(r'^    \{"([a-z ]+)", "[^"]*", "', (TOP / "fcgi-app/cli/command.c").read_text(), re.M)


def test_the_list_names_every_command(idle):
    text = idle.cli("help").stdout
    assert idle.cli("--help").stdout == idle.cli("-h").stdout == text
    assert len(COMMANDS) > 12
    assert [name for name in COMMANDS if f"\n  {name} " not in text] == []
    assert "\n  man " not in text


def test_the_version_is_the_one_that_news_begins_with(idle):
    version = idle.cli("version").stdout
    assert version == idle.cli("--version").stdout
    assert (TOP / "NEWS").read_text().startswith("C" + version.strip()[1:])


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(idle, name):
    one = idle.cli("help", *name.split()).stdout
    assert one.startswith(f"usage: coffer {name}") and len(one.splitlines()) > 2
    assert idle.cli(*name.split(), "--help").stdout == one
    assert idle.cli(*name.split(), "x", "-h").stdout == one


def test_what_is_no_command(idle):
    for arguments in (["nothing"], ["user"], ["user", "nothing"], [], ["help", "nothing"]):
        done = idle.cli(*arguments, check=False)
        assert done.returncode == 64 and "usage: coffer" in done.stdout, arguments


def test_every_option_is_in_the_help_and_every_option_in_the_help_is_one(idle):
    """The usage line, the paragraphs below it, and what the program takes agree."""
    for name in COMMANDS:
        text = idle.cli("help", *name.split()).stdout
        usage, _, rest = text.partition("\n")
        explained = set(re.findall(r"^  (--[a-z-]+)", rest, re.M))
        assert explained <= set(re.findall(r"--[a-z-]+", usage)), name
        for option in explained:
            done = idle.cli(*name.split(), option, "x", "--surely-none", check=False)  # x: the value, where it takes one
            assert "unknown option --surely-none" in done.stderr, (name, option, done.stderr)


@pytest.mark.parametrize("page", ["coffer.8", "coffer.conf.5"])
def test_man_pages_are_troff(idle, page, tmp_path):
    text = idle.cli("man", page).stdout
    assert text.startswith(".TH ") and ".SH NAME\n" in text
    known = {"TH", "SH", "SS", "TP", "B", "BR"}
    requests = {line[1:].split(" ")[0] for line in text.splitlines() if line.startswith(".")}
    assert requests <= known, requests - known
    if page == "coffer.8":
        assert all(f".SS coffer {name}" in text for name in COMMANDS)
    else:
        keys = re.findall(r'^C\((\w+), (\w+),', (TOP / "fcgi-app/conf/conf.def").read_text(), re.M)
        assert all(f".B {key}\n" in text for _, key in keys)
    if shutil.which("groff"):
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"], input=text, capture_output=True, text=True)
        assert done.stderr == ""


def test_settings_as_json(coffer):
    coffer.write_conf(server_front_key="k" * 43)
    rows = {f"{row['section']}.{row['key']}": row for row in json.loads(coffer.cli("config", "--json").stdout)}
    assert rows["quota.default"]["source"] == "default" and rows["pool.api"]["source"] == "file"
    assert rows["pool.api"]["value"] == "4" and rows["pool.api"]["where"].endswith(f"{coffer.conf.name}:{rows['pool.api']['where'].rpartition(':')[2]}")
    assert rows["server.front_key"]["value"] == "***"
    assert len(rows) == len(coffer.cli("config").stdout.splitlines())


@pytest.mark.sqlite("looks into the database or the folder of blobs")
def test_fsck_and_gc_as_json(coffer):
    clean = json.loads(coffer.cli("fsck", "--json").stdout)
    assert clean == {"damaged": 0, "repaired": 0, "notes": 0, "findings": []}
    sqlite_rows(coffer.database(), "UPDATE space SET used = used + 1")
    done = coffer.cli("fsck", "--json", check=False)
    found = json.loads(done.stdout)
    assert done.returncode == 2 and found["damaged"] == 1 and found["findings"][0]["level"] == "wrong"
    done = coffer.cli("fsck", "--json", "--repair", check=False)
    assert done.returncode == 1 and json.loads(done.stdout)["findings"][0]["level"] == "repaired"
    assert json.loads(coffer.cli("gc", "--json").stdout) == {"removed": 0, "set_aside": 0}


def test_accounts_as_json(coffer):
    users = [json.loads(line) for line in coffer.cli("user", "list", "--json").stdout.splitlines()]
    assert [(user["username"], user["role"], user["state"]) for user in users] == [("ann", "user", "active")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_becomes_the_owner_of_the_data_folder(coffer):
    """What root does with a service's data stays readable to the service."""
    uid = 65432
    for root, folders, files in os.walk(coffer.data):
        for name in [root] + [os.path.join(root, name) for name in files]:
            os.chown(name, uid, uid)
    os.chown(coffer.run, uid, uid)
    coffer.dir.chmod(0o755)
    coffer.conf.chmod(0o644)
    coffer.cli("user", "add", "bob", stdin="correct horse battery staple 42\n")
    coffer.cli("gc")
    assert {os.stat(os.path.join(root, name)).st_uid for root, _, files in os.walk(coffer.data) for name in files} == {uid}
