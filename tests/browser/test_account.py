"""One's own account: where one is signed in, another password, the links that an administrator hands out."""
import contextlib
import sqlite3

import pytest
from browser.desk import Desk
from harness import PASSWORD, PATIENCE_S, unique
from playwright.sync_api import expect

ANOTHER = "seven quiet herons over the weir"


def alter(coffer, statement, *values):
    with contextlib.closing(sqlite3.connect(coffer.database(), timeout=PATIENCE_S)) as db, db:
        db.execute(statement, values)


@pytest.mark.route("page_password")
def test_another_password(desk_for, alice, scripts):
    elsewhere = alice.coffer.anon().login(alice.name, PASSWORD)
    desk = desk_for(alice, scripts=scripts).open("/account")

    def change(current, new):
        desk.page.get_by_label("Current password").fill(current)
        desk.page.get_by_label("New password").fill(new)
        desk.button("Change password").click()
    change("not my password", ANOTHER)
    expect(desk.page.get_by_role("alert")).to_contain_text("wrong")
    change(PASSWORD, "password1")
    expect(desk.page.get_by_role("alert")).to_be_visible()
    expect(desk.page.get_by_role("alert")).not_to_contain_text("wrong")
    desk.shot(f"password-{desk.way}")
    change(PASSWORD, ANOTHER)
    expect(desk.page.get_by_role("status").first).to_contain_text("Your password is changed")
    assert elsewhere.get("/api/v1/me").status_code == 401
    desk.open("/").heading("Files")
    desk.excuse("status of 401").excuse("status of 422")
    alice.coffer.anon().login(alice.name, ANOTHER)


@pytest.mark.stores
@pytest.mark.route("page_session_end", "page_sessions_end")
def test_sessions_are_seen_and_ended(desk_for, alice, scripts):
    others = [alice.coffer.anon(headers={"User-Agent": agent}).login(alice.name, PASSWORD)
              for agent in ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "curl/8.0", "backup-tool")]
    desk = desk_for(alice, scripts=scripts).open("/account")
    sessions = desk.page.get_by_role("list", name="Where you are signed in").get_by_role("listitem")
    expect(sessions).to_have_count(4)
    expect(sessions.filter(has_text="(here)")).to_have_count(1)
    expect(sessions.filter(has_text="Firefox on Linux")).to_have_count(1)
    desk.shot(f"sessions-{desk.way}")
    sessions.filter(has_text="Firefox on Linux").get_by_role("button").click()
    expect(sessions).to_have_count(3)
    assert [person.get("/api/v1/me").status_code for person in others] == [401, 200, 200]
    desk.button("End all others").click()
    expect(sessions).to_have_count(1)
    assert [person.get("/api/v1/me").status_code for person in others] == [401, 401, 401]
    desk.open("/").heading("Files")


@pytest.mark.route("page_confirm")
@pytest.mark.sqlite("ages a session by hand")
def test_ending_a_session_needs_a_fresh_password(desk_for, alice, scripts):
    other = alice.coffer.anon(headers={"User-Agent": "curl/8.0"}).login(alice.name, PASSWORD)
    alter(alice.coffer, "UPDATE session SET signed_in_ms = signed_in_ms - 660000 WHERE user = ?", alice.me()["id"])
    desk = desk_for(alice, scripts=scripts).open("/account")
    assert desk.button("End all others").count() == 0
    for password in ("not my password", PASSWORD):
        desk.page.get_by_label("To end one, give your password again").fill(password)
        desk.button("Confirm").click()
        expect(desk.page.locator("[role=alert], [role=status]").first).to_contain_text("wrong" if password != PASSWORD else "Thank you")
    desk.button("End all others").click()
    expect(desk.page.get_by_role("status").first).to_have_text("Ended.")
    assert other.get("/api/v1/me").status_code == 401
    desk.excuse("status of 401")


@pytest.mark.route("page_reset", "page_reset_do")
def test_a_link_for_a_new_password(desk_for, alice, scripts):
    link = f"/reset?token={alice.coffer.granted('reset', alice.name)}"
    desk = desk_for(scripts=scripts).open(link).heading("Set a new password")
    expect(desk.page.get_by_text(alice.name)).to_be_visible()
    if scripts:
        assert not desk.axe()
    desk.shot(f"reset-{desk.way}")
    desk.page.get_by_label("New password").fill("password1")
    desk.button("Set password").click()
    expect(desk.page.get_by_role("alert")).to_be_visible()
    desk.page.get_by_label("New password").fill(ANOTHER)
    desk.button("Set password").click()
    desk.heading("Sign in")
    expect(desk.page.get_by_role("status").first).to_contain_text("Your new password is set")
    desk.sign_in(alice.name, ANOTHER).heading("Files")
    desk.open(link)
    assert "used or over" in desk.text()
    desk.excuse("status of 422").excuse("status of 403")


def test_registering_by_invitation(chromium, server_factory, scripts):
    coffer = server_factory(site_register="invite")
    desk = Desk(chromium, coffer, scripts=scripts).open("/register")
    expect(desk.page.get_by_text("This server does not take new accounts by itself")).to_be_visible()
    name = unique("guest")
    desk.open(f"/register?invite={coffer.granted('invite')}")
    desk.page.get_by_label("User name").fill(name)
    desk.page.get_by_label("Password", exact=True).fill(PASSWORD)
    desk.button("Create account").click()
    desk.heading("Files")
    assert name in desk.text()
    desk.close()
