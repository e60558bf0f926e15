"""The files of the project, as rules want to see them."""
import functools
import re
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
RULES = {}


def rule(function):
    """Register a rule: a generator of findings, whose first docstring line says what must hold."""
    RULES[function.__name__] = function
    return function


def at(path, line, what):
    return f"{path.relative_to(TOP)}:{line}: {what}"


def sources(*folders, kinds=(".c", ".h", ".def")):
    """The C files below folders, sorted."""
    found = []
    for folder in folders or ("fcgi-app",):
        found += [p for p in (TOP / folder).rglob("*") if p.suffix in kinds and p.is_file()]
    return sorted(found)


@functools.cache
def text(path):
    return path.read_text(encoding="utf-8")


_blank = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


@functools.cache
def code(path):
    """The text with comments and the insides of literals made blank; lines and columns stay."""
    def blank(match):
        found = match[0]
        if found[0] in "\"'":
            return found[0] + " " * (len(found) - 2) + found[0]
        return re.sub(r"[^\n]", " ", found)
    return _blank.sub(blank, text(path))


def lines(path, stripped=True):
    return enumerate((code(path) if stripped else text(path)).splitlines(), 1)


def layer(path):
    """'core' for fcgi-app/core/node.c; '' for the files directly in fcgi-app."""
    parts = path.relative_to(TOP / "fcgi-app").parts
    return parts[0] if len(parts) > 1 else ""


_row = re.compile(r'^(\w+)\(((?:[^"()]|"(?:\\.|[^"\\])*"|\((?:[^"()]|"(?:\\.|[^"\\])*")*\))*)\)', re.M)
_cell = re.compile(r'\s*("(?:\\.|[^"\\])*"|[^,"]+?)\s*(?:,|$)', re.S)


def table(path, macro):
    """(line, cells) of every row `macro(...)` of a .def file; quotes of literals are taken off."""
    whole = text(path)
    blanked = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), whole, flags=re.S)
    for match in _row.finditer(blanked):
        if match[1] == macro:
            cells = [c[1:-1] if c.startswith('"') else c for c in _cell.findall(match[2])]
            yield whole.count("\n", 0, match.start()) + 1, cells
