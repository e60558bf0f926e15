"""Every route has a test that is marked with its name; every error code that a client can meet is met."""
import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
CODE = TESTS.parent / "fcgi-app"

# Codes that no request of the web and fault tests can meet: why, and the tests in C that prove the error itself.
ELSEWHERE = {
    "ok": ("not an error", "unit/test_err.c"),
    "cross-space-move": ("needs a second space to be in", "contract/meta/test_meta_change.c"),
    "last-admin": ("the command line alone changes roles", "contract/meta/test_meta_people.c"),
    "bad-configuration": ("of the command line only", "unit/test_conf.c"),
    "foreign-store": ("of the command line only", "contract/blob/test_blob.c"),
    "internal": ("a bug by definition", "contract/meta/test_meta_sqlite.c"),
    "outcome-unknown": ("a disk that dies between commit and flush", "contract/meta/test_sqlite_power.c"),
    "io-error": ("a failing disk", "contract/blob/test_blob_fault.c"),
    "range-not-satisfiable": ("nginx answers it without a body; test_reading.py checks the status", "unit/test_range.c"),
}


def calls():
    """Every call and decorator in the tests, with its constant arguments."""
    for path in sorted([*TESTS.glob("web/test_*.py"), *TESTS.glob("fault/test_*.py"), *TESTS.glob("browser/test_*.py")]):
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            if isinstance(node, ast.Call):
                yield path.name, ast.unparse(node.func), [a.value if isinstance(a, ast.Constant) else None for a in node.args], node


def routes():
    text = (CODE / "web" / "routes.def").read_text() + (CODE / "web" / "pages.def").read_text()
    return re.findall(r'\.name = "(\w+)"', text)


def codes():
    return dict(re.findall(r'^E\((\w+), "([a-z-]+)"', (CODE / "base" / "err.def").read_text(), re.M))


def marked():
    return {name for _, func, arguments, _ in calls() if func == "pytest.mark.route" for name in arguments}


def test_the_tables_are_read():
    assert len(routes()) > 10 and len(codes()) > 30


def test_names_of_routes_are_unique():
    names = routes()
    assert len(names) == len(set(names)), [n for n in names if names.count(n) > 1]


def test_every_route_has_a_test():
    missing = sorted(set(routes()) - marked())
    assert not missing, f'no test is marked @pytest.mark.route("...") with: {", ".join(missing)}'


def test_every_mark_names_a_route():
    unknown = marked() - set(routes())
    assert not unknown, f"marks of routes that do not exist: {unknown}"


def strings():
    """Every string in the tests: codes are compared as the argument of problem(), in tuples, in `in (...)`."""
    found = set()
    for path in [*TESTS.glob("web/test_*.py"), *TESTS.glob("fault/test_*.py")]:
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_code_is_met():
    met = strings()
    missing = sorted(code for code in codes().values() if code not in met and code not in ELSEWHERE)
    assert not missing, f"no test meets the codes: {', '.join(missing)}"


def test_every_code_in_a_test_exists():
    known = set(codes().values())
    wrong = [(path, arguments[2]) for path, func, arguments, _ in calls() if func == "problem" and len(arguments) == 3
             and arguments[2] is not None and arguments[2] not in known]
    assert not wrong, wrong


def test_exceptions_are_still_needed():
    stale = sorted(set(ELSEWHERE) - set(codes().values()))
    assert not stale, f"codes excused here that do not exist: {stale}"
    met = sorted(set(ELSEWHERE) & strings() - {"ok", "internal"})  # these two are words besides
    assert not met, f"codes excused here that a test meets: {met}"


def test_exceptions_are_proved_where_they_say():
    names = {code: name for name, code in codes().items()}
    for code, (_, place) in ELSEWHERE.items():
        assert re.search(rf"\bE_{names[code]}\b", (TESTS / place).read_text()), f"{place} knows nothing of {code}"
