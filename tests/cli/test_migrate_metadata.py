"""`coffer migrate --metadata`: records go to another store, every one, or the installation stays where it is."""
import json
import secrets
import signal

import pytest
from harness import HarnessError, ok, wait_for
from stores import BLOBS, METADATA, installation, needs_mongodb, new_blobs, new_metadata

PAIRS = ["sqlite to sqlite", pytest.param("sqlite to mongodb", marks=needs_mongodb), pytest.param("mongodb to sqlite", marks=needs_mongodb)]
FILES = 12


class Move:
    """An installation with some of everything, and a new store that its records are to go to."""

    def __init__(self, server_factory, tmp_path, kinds):
        self.coffer = installation(server_factory, kinds[0], "disk", site_register="open")
        source = tmp_path / "source"
        for n in range(FILES):
            (source / str(n % 3)).mkdir(parents=True, exist_ok=True)
            (source / str(n % 3) / f"ä {n}").write_bytes(secrets.token_bytes(10 + n))
        self.coffer.cli("import", str(source), "ann:/in")
        self.coffer.cli("user", "quota", "ann", "1G")
        self.coffer.cli("user", "invite")
        self.here, self.there = self.coffer.settings["store.metadata"], new_metadata(kinds[1], self.coffer.data)
        self.kinds = kinds

    def migrate(self, *options, check=True):
        return self.coffer.cli("migrate", "--metadata", *options, self.here, self.there, check=check)

    def use(self, uri):
        self.coffer.write_conf(store_metadata=uri)
        return self.coffer

    def whole(self, uri):
        done = self.use(uri).fsck()
        assert done.returncode == 0, done.stdout + done.stderr
        return self.coffer.cli("user", "quota", "ann").stdout


@pytest.fixture(params=PAIRS)
def move(server_factory, tmp_path, request):
    return Move(server_factory, tmp_path, request.param.split(" to "))


@pytest.fixture(params=METADATA)
def simple(server_factory, tmp_path, request):
    """From SQLite to each kind of store."""
    return Move(server_factory, tmp_path, ("sqlite", request.param))


def test_records_arrive_and_people_go_on(move):
    """Signed in before, signed in after; what they had is there, and more can be added."""
    move.coffer.start_coffer()
    move.coffer.start_nginx()
    ann, bob = move.coffer.anon().login("ann"), move.coffer.person("bob")
    bob.file("mine", b"bob's")
    before = {item["name"]: item for item in ann.all()}
    move.coffer.stop()
    done = move.migrate()
    assert "records copied" in done.stdout and "none differ" in done.stdout
    assert ("set store.metadata = sqlite:" in done.stdout) == (move.kinds[1] == "sqlite"), done.stdout
    assert move.whole(move.here) == move.whole(move.there)
    move.coffer.start_coffer()
    move.coffer.start_nginx()
    assert {item["name"]: item for item in ann.all()} == before
    assert ok(bob.content("mine")).content == b"bob's" and bob.me()["used"] == 5
    ok(bob.put("more", b"after"), 201)
    assert move.coffer.anon().login("bob").names() == ["mine", "more"]
    move.coffer.stop()
    move.whole(move.there)


def test_there_and_back(move):
    move.migrate()
    back = new_metadata(move.kinds[0], move.coffer.data)
    sums = [json.loads(move.coffer.cli("migrate", "--json", "--metadata", move.there, back).stdout)]
    sums.append(json.loads(move.coffer.cli("migrate", "--json", "--metadata", move.here, back).stdout))
    assert sums[0]["copied"] == sums[0]["compared"] == sums[1]["there"] == sums[1]["compared"] > 3 * FILES
    assert sums[1]["copied"] == 0 and sums[0]["setting"] == "store.metadata"
    move.whole(back)


@pytest.mark.plain("is killed at moments of its work that the sanitizers would shift")
@pytest.mark.parametrize("after_ms", [60, 150])
def test_a_killed_one_goes_on(move, after_ms):
    process = move.coffer.begin("migrate", "--metadata", move.here, move.there)
    wait_for(lambda: process.poll() is not None, after_ms / 1000, 0.001)
    process.send_signal(signal.SIGKILL)
    if process.wait() == -signal.SIGKILL:
        try:
            move.use(move.there).start_coffer()
            move.coffer.stop()
            move.whole(move.there)
            return  # it was killed after its last write
        except HarnessError as refused:
            assert "coffer migrate" in str(refused)
        move.use(move.here)

    def again_if_it_may():  # it may have been killed while it held the keepers' turn
        done = move.migrate("--json", check=False)
        assert done.returncode == 0 or "was killed less than" in done.stderr, done.stderr
        return done.stdout if done.returncode == 0 else None
    again = json.loads(wait_for(again_if_it_may, step=1))
    assert again["copied"] + again["there"] >= again["compared"] > 3 * FILES
    move.whole(move.there)


def test_what_arrived_is_not_put_again(simple):
    """The half of a copy: another store gets all but its id, which stands in the way of using it."""
    simple.migrate()
    done = json.loads(simple.migrate("--json").stdout)
    assert done["copied"] == 0 and done["there"] == done["compared"] > 3 * FILES


def test_a_store_of_somebody_else_is_no_target(simple, server_factory):
    other = installation(server_factory, simple.kinds[1], "disk")
    simple.there = other.settings["store.metadata"]
    done = simple.migrate(check=False)
    assert done.returncode == 78 and "TO is not empty" in done.stderr
    assert "ann" in other.cli("user", "list").stdout and other.fsck().returncode == 0


def test_an_older_state_is_no_target(simple):
    """Going back after a while: the records that were left behind know nothing of what happened since."""
    simple.migrate()
    simple.use(simple.there).cli("user", "add", "carl", stdin="correct horse battery staple 42\n")
    done = simple.coffer.cli("migrate", "--metadata", simple.there, simple.here, check=False)
    assert done.returncode == 78 and "older or newer state" in done.stderr


def test_records_of_somebody_else_are_no_source(simple, server_factory):
    other = installation(server_factory, simple.kinds[1], "disk")
    done = simple.coffer.cli("migrate", "--metadata", other.settings["store.metadata"], simple.there, check=False)
    assert done.returncode == 78 and "FROM holds the records of another installation" in done.stderr


def test_a_source_that_is_not_there(simple):
    done = simple.coffer.cli("migrate", "--metadata", f"sqlite:{simple.coffer.data}/nowhere.db", simple.there, check=False)
    assert done.returncode == 1 and "store-unavailable" in done.stderr
    assert not (simple.coffer.data / "nowhere.db").exists()


def test_not_while_coffer_runs(simple):
    simple.coffer.start_coffer()
    done = simple.migrate(check=False)
    assert done.returncode == 1 and "stop it first" in done.stderr


@needs_mongodb
def test_not_while_coffer_runs_on_another_machine(server_factory):
    """Its lock is in a data folder that this machine does not see; its keeper's turn is in the records."""
    here = installation(server_factory, "mongodb", "disk")
    there = server_factory(start=False)
    there.settings |= {key: here.settings[key] for key in ("store.metadata", "store.blobs")}
    ann = there.start().anon().login("ann")
    ann.file("f", parent=ann.folder("gone")["id"])
    ok(ann.delete("/api/v1/content/gone"), 204)
    assert wait_for(lambda: ann.me()["used"] == 0), "no keeper"
    moves = [("--metadata", "-", new_metadata("sqlite", here.data)), ("--blobs", "-", new_blobs("disk", here.data))]
    for move in moves:
        done = here.cli("migrate", *move, check=False)
        assert done.returncode == 1 and "on another machine" in done.stderr, done.stderr
    there.stop()
    for move in moves:
        here.cli("migrate", *move)


@pytest.mark.parametrize("metadata", METADATA)
@pytest.mark.parametrize("blobs", BLOBS)
@pytest.mark.parametrize("what", ["new records", "records of another", "new contents", "contents of another"])
def test_serve_refuses_stores_that_do_not_belong_together(server_factory, tmp_path, metadata, blobs, what):
    """Whatever is put into the settings without moving it first: the sentence names what moves it."""
    coffer = installation(server_factory, metadata, blobs)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a").write_text("a")
    coffer.cli("import", str(tmp_path / "source"), "ann:/")
    other = installation(server_factory, metadata, blobs) if "another" in what else None
    if "records" in what:
        coffer.write_conf(store_metadata=other.settings["store.metadata"] if other else new_metadata(metadata, coffer.data))
    else:
        coffer.write_conf(store_blobs=other.settings["store.blobs"] if other else new_blobs(blobs, coffer.data))
    with pytest.raises(HarnessError, match="E_FOREIGN_STORE.*coffer migrate"):
        coffer.start_coffer()
