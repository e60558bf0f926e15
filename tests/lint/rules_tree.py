"""Rules about the tree: the build lists what is there, and each file reads well."""
import re
import shutil
import subprocess

from tree import TOP, at, lines, rule, sources, text


def _listed(makefile):
    return set(re.findall(r"[\w./-]+\.(?:c|h|def)\b", text(makefile)))


@rule
def build_lists():
    """every source stands in the build's lists, and everything in the lists is there"""
    for makefile, folder in ((TOP / "fcgi-app/Makefile.inc", "fcgi-app"), (TOP / "tests/Makefile.inc", "tests")):
        listed = _listed(makefile)
        there = {str(path.relative_to(TOP)) for path in sources(folder)}
        for name in sorted(there - listed):
            if not name.startswith("tests/") or name.endswith(".c") and re.search(r"/(test|fuzz)_", name):
                yield at(makefile, 1, f"{name} is not listed, so nothing builds it")
        for name in sorted(listed - there):
            if name.startswith(folder + "/") and "_gen." not in name:
                yield at(makefile, 1, f"{name} is listed and not there")


@rule
def white_space():
    """no tabs, no blanks at line ends, one newline at the end"""
    for path in sources("fcgi-app", "tests"):
        for number, line in lines(path, stripped=False):
            if line != line.rstrip():
                yield at(path, number, "blanks at the end of the line")
            if "\t" in line:
                yield at(path, number, "a tab")
        if not text(path).endswith("\n") or text(path).endswith("\n\n"):
            yield at(path, text(path).count("\n"), "the file does not end with one newline")


@rule
def shell_syntax():
    """the scripts parse"""
    scripts = [TOP / name for name in ("run", "check", "bench", ".ci/run", "templates/assets/build")]
    scripts += sorted((TOP / ".ci").glob("*.sh"))
    for path in filter(lambda p: p.exists() and "sh" in text(p).split("\n", 1)[0] + p.suffix, scripts):
        done = subprocess.run(["bash", "-n", path], capture_output=True, text=True)
        if done.returncode != 0:
            yield at(path, 1, done.stderr.strip())


@rule
def news_version():
    """the first line of NEWS gives the version"""
    first = text(TOP / "NEWS").split("\n", 1)[0]
    if not re.fullmatch(r"Coffer \d+\.\d+\.\d+ \((unreleased|\d{4}-\d\d-\d\d)\)", first):
        yield at(TOP / "NEWS", 1, f"{first!r} is not `Coffer 1.2.3 (unreleased)` or with a date")


assert shutil.which("bash"), "the rules about scripts need bash"
