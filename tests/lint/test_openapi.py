"""docs/openapi.yaml describes the routes that there are, and no others."""
import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
METHODS = ("get", "put", "post", "patch", "delete")


def described():
    """(method, path, operationId) of each operation; the file's layout is fixed: two blanks before a path, four before a method."""
    path = method = None
    for line in (TOP / "docs" / "openapi.yaml").read_text().splitlines():
        if found := re.match(r"  (/\S*):$", line):
            path = found[1]
        elif found := re.match(r"    (\w+):$", line):
            method = found[1] if found[1] in METHODS else None
        elif (found := re.match(r"      operationId: (\w+)$", line)) and path and method:
            yield method, path, found[1]


def routed():
    """The rows of routes.def: the pages are for people and not described."""
    text = (TOP / "fcgi-app" / "web" / "routes.def").read_text()
    for name, method, pattern in re.findall(r'\.name = "(\w+)", \.method = (\w+), \.pattern = "([^"]+)"', text):
        yield method.lower(), pattern.replace("{path...}", "{path}"), name


def test_the_file_has_operations():
    assert len(set(described())) >= 15


def test_every_route_is_described():
    assert sorted(set(routed()) - set(described())) == []


def test_nothing_else_is_described():
    assert sorted(set(described()) - set(routed())) == []
