"""Rules about the tables: errors, settings."""
import re
from collections import Counter

from tree import TOP, at, code, rule, sources, table, text

ERRORS = TOP / "fcgi-app/base/err.def"
SETTINGS = TOP / "fcgi-app/conf/conf.def"


def _twice(rows, key):
    return {name for name, count in Counter(map(key, rows)).items() if count > 1}


@rule
def errors_said():
    """every error has a public code, a status and a sentence; none stands twice"""
    rows = list(table(ERRORS, "E"))
    if not rows:
        yield at(ERRORS, 1, "no rows found")
    double = _twice(rows, lambda row: row[1][0])
    for line, (name, public, status, _level, title, *_) in rows:
        if name in double:
            yield at(ERRORS, line, f"{name} stands twice")
        if not re.fullmatch(r"[a-z]+(-[a-z]+)*", public):
            yield at(ERRORS, line, f"{name}: the public code {public} is not lower-case words joined by -")
        if not 200 <= int(status) < 600:
            yield at(ERRORS, line, f"{name}: {status} is no HTTP status")
        if not re.search(r"[.!?]$", title):
            yield at(ERRORS, line, f"{name}: the title is not a sentence")


@rule
def settings_said():
    """every setting has a sentence, limits in order, and stands once"""
    rows = list(table(SETTINGS, "C"))
    if not rows:
        yield at(SETTINGS, 1, "no rows found")
    double = _twice(rows, lambda row: tuple(row[1][:2]))
    for line, cells in rows:
        if len(cells) != 8:
            yield at(SETTINGS, line, f"{len(cells)} columns instead of 8")
            continue
        section, key, _kind, _default, low, high, _flags, sentence = cells
        if (section, key) in double:
            yield at(SETTINGS, line, f"{section}.{key} stands twice")
        if not re.search(r"[a-z].*\.$", sentence):
            yield at(SETTINGS, line, f"{section}.{key} has no sentence of manual")
        if high != "INT64_MAX" and int(low) > int(high):
            yield at(SETTINGS, line, f"{section}.{key}: min {low} is above max {high}")


@rule
def settings_read():
    """every setting is read by something"""
    program = "\n".join(code(path) for path in sources(kinds=(".c", ".h")))
    front = "\n".join(text(path) for path in sorted((TOP / "nginx").glob("*.in")))
    for line, (section, key, *_) in table(SETTINGS, "C"):
        if not re.search(rf"\b{section}_{key}\b", program) and f"@{section}.{key}@" not in front:
            yield at(SETTINGS, line, f"{section}.{key}: nothing in fcgi-app/ or nginx/ reads it")


@rule
def settings_documented():
    """where a page of docs/ describes the settings, it describes all of them and no others"""
    known = {f"{cells[0]}.{cells[1]}" for _, cells in table(SETTINGS, "C")}
    sections = {name.split(".")[0] for name in known}
    for path in sorted((TOP / "docs").glob("configuration.*")) + sorted((TOP / "docs").glob("settings.*")):
        named = set(re.findall(r"`([a-z]+\.[a-z_0-9]+)`", text(path)))
        named = {name for name in named if name.split(".")[0] in sections}
        for name in sorted(known - named):
            yield at(path, 1, f"does not describe {name}")
        for name in sorted(named - known):
            yield at(path, 1, f"describes {name}, which is not a setting")
