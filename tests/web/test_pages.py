"""Pages as a browser without JavaScript uses them: links, forms, redirects."""
import re
from urllib.parse import urljoin, urlsplit

import pytest
from harness import PASSWORD, Page, ok, unique


class Browser:
    """Follows links and sends forms, as a browser would, with what a browser sends."""

    def __init__(self, person):
        self.person, self.coffer = person, person.coffer
        self.address, self.page, self.response = "/", None, None

    def open(self, address):
        return self._go("GET", address)

    def _go(self, method, address, **options):
        headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
                   "Sec-Fetch-Site": "same-origin"}
        if method == "POST":
            headers["Origin"] = self.coffer.url
        for _ in range(5):
            self.response = self.person.request(method, address, headers=headers, **options)
            self.address = address
            if self.response.status_code != 303:
                break
            location = urlsplit(urljoin(self.coffer.url + address, self.response.headers["location"]))
            assert f"{location.scheme}://{location.netloc}" == self.coffer.url
            method, address, options = "GET", location.path + (f"?{location.query}" if location.query else ""), {}
        if self.response.headers.get("content-type", "").startswith("text/html"):
            self.page = Page(self.response.text)
        return self

    def send(self, form, files=None, **fields):
        assert form.method == "post"
        unknown = set(fields) - set(form.types)
        assert not unknown, (unknown, form.types)
        address = urljoin(self.address, form.action) if form.action else self.address
        data = {k: v for k, v in (form.fields | fields).items() if form.types[k] != "file"}
        if form.kind == "multipart/form-data":
            parts = [(k, (None, v.encode())) for k, v in data.items()] + [("file", f) for f in files or []]
            return self._go("POST", address, files=parts)
        return self._go("POST", address, data=data)

    def follow(self, pattern):
        found = [href for href in self.page.links if re.search(pattern, href)]
        assert found, (pattern, self.page.links)
        return self.open(urljoin(self.address, found[0]))

    def text(self):
        return " ".join(self.page.text.split())

    def expect(self, status=200):
        assert self.response.status_code == status, (self.address, self.response.status_code, self.response.text[:1000])
        return self


@pytest.fixture
def stranger(anon):
    return Browser(anon)


@pytest.fixture
def browser(alice):
    return Browser(alice).open("/").expect()


@pytest.mark.route("page_register")
def test_the_page_to_register(stranger):
    form = stranger.open("/register").expect().page.form(field="password")
    assert form.types["password"] == "password" and form.method == "post"


@pytest.mark.door
@pytest.mark.route("page_register_do")
def test_register_then_the_files(stranger):
    name = unique("page")
    stranger.open("/register")
    stranger.send(stranger.page.form(field="password"), username=name, password=PASSWORD).expect()
    if stranger.address.startswith("/login"):
        stranger.send(stranger.page.form(field="password"), username=name, password=PASSWORD).expect()
    assert name in stranger.text()
    stranger.page.form(field="file")


@pytest.mark.parametrize("fields, word", [({"password": "12345678"}, "password"), ({"username": "a b"}, "name")])
def test_a_refused_registration_says_why_and_keeps_the_name(stranger, fields, word):
    name = unique("page")
    stranger.open("/register")
    stranger.send(stranger.page.form(field="password"), **({"username": name, "password": PASSWORD} | fields)).expect(422)
    assert word in stranger.text().lower()
    form = stranger.page.form(field="password")
    assert form.fields["username"] == fields.get("username", name) and form.fields["password"] == ""


def test_a_taken_name_is_told(stranger, alice):
    stranger.open("/register")
    stranger.send(stranger.page.form(field="password"), username=alice.name, password=PASSWORD).expect(409)
    assert "taken" in stranger.text()


@pytest.mark.route("page_login")
def test_the_page_to_sign_in(stranger):
    form = stranger.open("/login").expect().page.form(field="password")
    assert form.types["password"] == "password" and "username" in form.types


@pytest.mark.door
@pytest.mark.route("page_login_do")
def test_sign_in(stranger, alice):
    stranger.open("/login")
    stranger.send(stranger.page.form(field="password"), username=alice.name, password=PASSWORD).expect()
    assert alice.name in stranger.text()


def test_a_wrong_password_is_told(stranger, alice):
    stranger.open("/login")
    stranger.send(stranger.page.form(field="password"), username=alice.name, password="wrong password").expect(401)
    assert "wrong" in stranger.text() and stranger.page.form(field="password").fields["username"] == alice.name
    assert "www-authenticate" not in stranger.response.headers or "basic" not in stranger.response.headers["www-authenticate"].lower()


def test_the_files_need_a_sign_in_and_come_after_it(stranger, alice):
    folder = alice.folder("deep")["id"]
    stranger.open(f"/folder/{folder}").expect()
    assert stranger.address.startswith("/login")
    stranger.send(stranger.page.form(field="password"), username=alice.name, password=PASSWORD).expect()
    assert stranger.address == f"/folder/{folder}"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example",
                                    "\\\\evil.example", "/%0d%0aSet-Cookie:x=y", "evil"])
def test_sign_in_never_leads_elsewhere(stranger, alice, target):
    stranger.person.http.follow_redirects = False
    response = stranger.person.get("/login", params={"next": target}, headers={"Accept": "text/html"})
    page = Page(response.text)
    form = page.form(field="password")
    data = form.fields | {"username": alice.name, "password": PASSWORD} | ({"next": target} if "next" in form.types else {})
    answer = stranger.person.post(form.action or "/login", data=data, headers={"Accept": "text/html"})
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert re.match(r"/(?![/\\])", location) and "evil.example" not in urlsplit(location).netloc, location
    assert "x=y" not in str(answer.headers.get_list("set-cookie"))


@pytest.mark.door
@pytest.mark.route("page_logout")
def test_sign_out(browser):
    browser.send(browser.page.form("logout")).expect()
    assert browser.address.startswith("/login")
    assert browser.open("/").address.startswith("/login")


@pytest.mark.route("page_home")
def test_an_empty_list(browser):
    assert browser.person.name in browser.text()
    browser.page.form(field="file")


@pytest.mark.door
@pytest.mark.route("page_upload")
@pytest.mark.parametrize("size", [5, 300_000])
def test_upload_then_see_and_download_it(browser, size):
    form = browser.page.form(field="file")
    assert form.kind == "multipart/form-data"
    browser.send(form, files=[("notes é.txt", b"n" * size)]).expect()
    assert "notes é.txt" in browser.text() and browser.person.names() == ["notes é.txt"]
    record = browser.person.list()["items"][0]
    link = next(h for h in browser.page.links if record["id"] in h and "download" in h)
    assert ok(browser.person.get(link)).content == b"n" * size


def test_upload_several(browser):
    browser.send(browser.page.form(field="file"), files=[("a", b"1"), ("b", b"2")]).expect()
    assert browser.person.names() == ["a", "b"]


@pytest.mark.parametrize("size", [5, 300_000])
def test_an_upload_of_a_taken_name_keeps_both(browser, size):
    browser.person.file("a", b"old")
    browser.send(browser.page.form(field="file"), files=[("a", b"n" * size)]).expect()
    assert browser.person.content("a").content == b"old"
    assert browser.person.names() == ["a", "a (1)"]


@pytest.mark.parametrize("conflict, names, old", [("replace", ["a"], b"new"), ("fail", ["a"], b"old")])
def test_the_page_lets_people_choose_what_happens_to_a_taken_name(browser, conflict, names, old):
    browser.person.file("a", b"old")
    browser.send(browser.page.form(field="file"), files=[("a", b"new")], conflict=conflict)
    assert browser.person.names() == names and browser.person.content("a").content == old
    assert ("Not everything was uploaded" in browser.text()) == (conflict == "fail")


@pytest.mark.door
@pytest.mark.route("page_folder", "page_folder_new")
def test_make_a_folder_and_walk_in_and_out(browser):
    browser.send(browser.page.form(field="name"), name="Holiday photos").expect()
    assert "Holiday photos" in browser.text()
    folder = browser.person.list()["items"][0]["id"]
    browser.follow(f"/folder/{folder}").expect()
    browser.send(browser.page.form(field="name"), name="Day 1").expect()
    browser.send(browser.page.form(field="file"), files=[("sea.jpg", b"x")]).expect()
    assert browser.person.names(folder) == ["Day 1", "sea.jpg"]
    day = browser.person.list(folder)["items"][0]["id"]
    browser.follow(f"/folder/{day}").expect()
    trail = browser.text().split("Sign out", 1)[1]  # below the bar: the title names the folder first
    assert trail.index("Holiday photos") < trail.index("Day 1")
    browser.follow(f"/folder/{folder}").expect()
    assert "sea.jpg" in browser.text()


def test_a_refused_folder_name_is_told(browser):
    browser.person.folder("docs")
    browser.open("/")
    browser.send(browser.page.form(field="name"), name="docs").expect(409)
    assert "taken" in browser.text()
    browser.open("/")
    browser.send(browser.page.form(field="name"), name="a/b").expect(422)


@pytest.mark.door
@pytest.mark.route("page_delete", "page_delete_do")
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_delete_asks_first(browser, kind):
    record = getattr(browser.person, kind)("doomed")
    browser.open("/").follow(f"/file/{record['id']}").expect().follow(record["id"] + "/delete").expect()
    assert "doomed" in browser.text() and browser.person.names() == ["doomed"]
    form = browser.page.form("delete")
    browser.send(form).expect()
    assert browser.person.names() == [] and "doomed" not in [a.get("href") for _, a in browser.page.elements]


@pytest.mark.door
@pytest.mark.route("page_account")
def test_the_account_page(browser):
    browser.follow("/account").expect()
    assert browser.person.name in browser.text()
    browser.send(browser.page.forms[-1]).expect()
    assert browser.address.startswith("/login")


def test_the_page_of_somebody_elses_folder(browser, bob):
    folder = bob.folder("private")["id"]
    browser.open(f"/folder/{folder}").expect(404)
    assert "private" not in browser.text()


def test_pages_of_a_long_list(browser):
    for start in (0, 100):
        ok(browser.person.upload(*[(f"file-{n:03}", b"") for n in range(start, start + 100)]), 201)
    browser.person.file("file-200")
    seen = set()
    browser.open("/")
    for _ in range(10):
        seen |= set(re.findall(r"file-\d{3}", browser.page.text))
        following = [h for h in browser.page.links if "cursor=" in h]
        if not following:
            break
        browser.open(urljoin(browser.address, following[-1])).expect()
    assert len(seen) == 201


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", 'a" onclick="alert(1)', "'><script>alert(1)<", "{{name}}", "&lt;b&gt;", "a&b"])
def test_a_name_is_text_everywhere(browser, name):
    browser.send(browser.page.form(field="name"), name=name.replace("/", "")).expect()
    record = browser.person.list()["items"][0]
    assert name in browser.text()
    pages = [browser.page]
    pages.append(browser.open(f"/folder/{record['id']}").expect().page)
    for page in pages:
        for tag, attributes in page.elements:
            assert tag != "img" or attributes.get("src") != "x"
            assert not [a for a in attributes if a.startswith("on")], (tag, attributes)


def test_no_page_has_inline_script_style_or_a_third_party(browser):
    pages = [browser.page.html]
    for address in ("/login", "/register"):
        pages.append(browser.coffer.anon().get(address, headers={"Accept": "text/html"}).text)
    for html in pages:
        page = Page(html)
        for tag, attributes in page.elements:
            assert "style" not in attributes and not [a for a in attributes if a.startswith("on")]
            assert tag != "style" and (tag != "script" or "src" in attributes)
            for name in ("src", "href", "action"):
                value = attributes.get(name) or ""
                assert not re.match(r"(https?:)?//", value) or value.startswith(browser.coffer.url), (tag, value)
        assert page.elements[0][1].get("lang") or dict(page.elements)["html"].get("lang")


def test_the_title_is_the_sites(server_factory):
    coffer = server_factory(site_title="Smith <&> Sons")
    assert "Smith <&> Sons" in Browser(coffer.anon()).open("/login").expect().text()


def test_register_is_not_offered_when_closed(server_factory):
    browser = Browser(server_factory(site_register="closed").anon()).open("/login").expect()
    assert not [h for h in browser.page.links if "register" in h]


# ---------------------------------------------------------------- whole folders, names in a folder, what was seen
@pytest.mark.door
@pytest.mark.route("page_upload")
def test_a_form_with_a_folder_makes_its_folders(browser, alice):
    files = [("Trip/a.txt", b"1"), ("Trip/Größe/b.txt", b"2"), ("Trip/Größe/c.txt", b"3"), ("d.txt", b"4")]
    browser.send(browser.page.form(field="file"), files=files).expect()
    assert "Files uploaded: 4" in browser.text()
    assert [alice.content(f"Trip/{path}").content for path in ("a.txt", "Gr%C3%B6%C3%9Fe/b.txt", "Gr%C3%B6%C3%9Fe/c.txt")] == [b"1", b"2", b"3"]
    assert alice.names() == ["Trip", "d.txt"]


@pytest.mark.parametrize("name", ["../up.txt", "a/../up.txt", "a//up.txt", "taken.txt/up.txt", "a/" * 130 + "up.txt"])
def test_folders_that_cannot_be_are_told_and_the_rest_is_stored(browser, alice, name):
    alice.file("taken.txt")
    browser.open("/").send(browser.page.form(field="file"), files=[(name, b"x"), ("good/b.txt", b"y")])
    assert browser.response.status_code in (409, 422) and "up.txt" in browser.text()
    assert alice.content("good/b.txt").content == b"y"
    assert "up.txt" not in str(alice.all()) and alice.content("up.txt").status_code == 404


def test_programs_send_names_without_folders(alice):
    assert alice.file("Trip/a.txt", b"1")["name"] == "a.txt"
    assert alice.names() == ["a.txt"]


@pytest.mark.door
@pytest.mark.route("page_folder")
def test_a_name_is_found_in_a_folder(browser, alice):
    folder = alice.folder("In here")
    for name in ("Ärger.txt", "b.txt", "ÄRGER im Büro.txt"):
        alice.file(name, parent=folder["id"])
    browser.open(f"/folder/{folder['id']}?q=%C3%A4rger&sort=size&order=desc&limit=1").expect()
    assert "Ärger.txt" in browser.text() or "ÄRGER im Büro.txt" in browser.text()
    browser.follow(r"cursor=").expect()
    assert not any("cursor=" in link for link in browser.page.links), "there are two"
    browser.open(f"/folder/{folder['id']}?q=nothing").expect()
    assert "Nothing of that name" in browser.text()
    browser.open(f"/folder/{folder['id']}?q={'x' * 256}").expect(422)


@pytest.mark.parametrize("deed", ["rename", "delete"])
def test_a_form_for_other_contents_does_nothing(browser, alice, deed):
    file = alice.file("a.txt", b"old")
    form = browser.open(f"/file/{file['id']}/{deed}").expect().page.form(rf"/{deed}$")
    assert form.fields["etag"] == file["etag"].strip('"')
    alice.put("a.txt", b"new")
    browser.send(form, **({"name": "b.txt"} if deed == "rename" else {})).expect(412)
    assert "Look at it as it is now" in browser.text()
    browser.follow(rf"^/file/{file['id']}$").expect()
    assert alice.content("a.txt").content == b"new"


def test_a_form_of_a_folder_has_no_tag(browser, alice):
    folder = alice.folder("F")
    for deed in ("rename", "delete"):
        assert "etag" not in browser.open(f"/file/{folder['id']}/{deed}").expect().page.form(rf"/{deed}$").types
    browser.send(browser.page.form(r"/delete$")).expect()
    assert alice.names() == []


def test_the_time_of_a_file_comes_with_the_address(browser, alice):
    form = browser.page.form(field="file")
    form.action += "?mtime=1600000000.25"
    browser.send(form, files=[("a.txt", b"1")]).expect()
    assert alice.all()[0]["modified"] == "2020-09-13T12:26:40.250Z"
