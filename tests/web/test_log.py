"""The log: one line per request, and nothing in it that opens a door."""
import re
from urllib.parse import quote

from harness import PASSWORD, ok, unique, wait_for


def requests(coffer, since, n):
    """The request lines since the mark, once there are n of them (nginx answers before the line is written)."""
    wait_for(lambda: len(coffer.log_lines("request", since)) >= n)
    return coffer.log_lines("request", since)


def test_one_line_per_request_with_what_happened(server, alice):
    record = alice.file("a.txt", b"hello")
    mark = server.log_mark()
    ok(alice.get(f"/api/v1/files/{record['id']}"))
    (line,) = requests(server, mark, 1)
    assert (line["route"], line["status"], line["id"]) == ("file_show", "200", record["id"])
    assert line["user"] == alice.me()["id"] and line["from"] == "127.0.0.1" and int(line["ms"]) >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"])


def test_ten_requests_are_ten_lines(server, anon):
    mark = server.log_mark()
    for n in range(10):
        anon.get(f"/api/v1/nothing{n}")
    lines = requests(server, mark, 10)
    assert len(lines) == 10 and {line["status"] for line in lines} == {"404"}


def test_a_failure_has_its_code(server, anon):
    mark = server.log_mark()
    anon.get("/api/v1/me")
    (line,) = requests(server, mark, 1)
    assert (line["route"], line["status"], line["code"]) == ("me", "401", "not-signed-in")


def test_no_secret_is_in_any_log(server, anon):
    secret_name, secret_query, secret_agent = unique("name"), unique("query"), unique("file")
    password = "Tr0ub4dor-" + unique("secret")
    anon.register(secret_name, password).login()
    anon.get(f"/api/v1/me?token={secret_query}")
    anon.get(f"/login?next=/{secret_query}", headers={"Accept": "text/html"})
    anon.put("big", b"x" * 300_000, mtime="2020-01-01T00:00:00Z")
    anon.get("/api/v1/me", headers={"Authorization": f"Bearer {secret_agent}"})
    anon.post("/login", data={"username": secret_name, "password": password})
    anon.post("/api/v1/login", json={"username": secret_name, "password": password + "x"})
    server.cli("user", "passwd", secret_name, stdin=password + "-new\n")
    text = server.logs()
    for secret in (password, secret_query, secret_agent, anon.cookie, server.front_key().split(":")[1], PASSWORD):
        assert secret not in text, secret


def test_nothing_a_client_sends_begins_a_second_line(server, alice):
    mark = server.log_mark()
    forged = "x\nts=2026-01-01T00:00:00.000Z level=info event=request route=forged"
    alice.get(f"/api/v1/content/{quote(forged, safe='')}")
    alice.post("/api/v1/folders", json={"name": forged})
    alice.post("/api/v1/login", json={"username": forged, "password": forged})
    lines = requests(server, mark, 3)
    assert "forged" not in {line.get("route") for line in lines}
    text = server.log_path.read_text()
    assert all(re.match(r"ts=\S+ level=\w+ ", line) for line in text.splitlines()), "every line is one of ours"


def test_a_large_upload_logs_its_end_once(server, alice):
    mark = server.log_mark()
    ok(alice.put("big", b"x" * 300_000), 201)
    lines = requests(server, mark, 2)
    assert [line["status"] for line in lines if line["route"] == "content_put" and line.get("phase") != "reserve"] == ["201"]
