"""Rules about C code: what may include what, what may be called, how long a thing may be."""
import re

from tree import TOP, at, layer, lines, rule, sources, text

# docs/architecture.md, "The tree": what a layer may include beside itself. None: everything.
ARROWS = {
    "base": "",
    "conf": "base",
    "model": "base",
    "crypt": "base conf",
    "net": "base conf",
    "http": "base conf",
    "render": "base conf",
    "meta": "base conf model",
    "blob": "base conf model crypt net",
    "core": "base conf crypt model meta blob",
    "web": "base conf http render model core",
    "pool": "base conf",
    "jobs": "base conf net model meta blob core",
    "cli": None,
    "": None,
}

# A single header that a layer may include although the rest of its folder is not for it.
EXCEPTIONS = {
    ("web", "pool/pool.h"): "struct worker is what a role's function is called with",
    ("jobs", "pool/pool.h"): "the same",
    ("web", "crypt/crypt.h"): "the front's key is compared in constant time",
    ("jobs", "crypt/crypt.h"): "contents are hashed",
}

# A library has one door: the only folder or file that sees its header.
DOORS = {
    "fcgiapp.h": "http/fcgi.c",
    "fcgi_stdio.h": "nowhere",
    "curl/": "net/",
    "sqlite3.h": "meta/",
    "mongoc": "meta/",
    "bson": "meta/",
}

BANNED = {
    "strcpy": "mem_str, or memcpy with a checked length",
    "strcat": "buf_str",
    "strncpy": "it does not end what it cuts: snprintf, or mem_strn",
    "strncat": "buf_str",
    "sprintf": "snprintf or mem_printf",
    "vsprintf": "vsnprintf",
    "strtok": "strcspn, or strsep on a copy of one's own",
    "strtok_r": "strcspn, or strsep on a copy of one's own",
    "atoi": "parse_i64",
    "atol": "parse_i64",
    "atoll": "parse_i64",
    "atof": "it hides errors",
    "gets": "fgets",
    "scanf": "parse what is expected",
    "sscanf": "parse what is expected; numbers overflow unnoticed",
    "fscanf": "parse what is expected",
    "alloca": "talloc",
    "tmpnam": "mkstemp",
    "mktemp": "mkstemp",
    "ctime": "clock_rfc3339",
    "asctime": "clock_rfc3339",
    "gmtime": "gmtime_r",
    "localtime": "times are UTC here: gmtime_r",
    "rand": "the kernel's random source",
    "srand": "the kernel's random source",
    "random": "the kernel's random source",
    "system": "nothing here starts another program",
    "popen": "nothing here starts another program",
    "execl": "nothing here starts another program",
    "execlp": "nothing here starts another program",
    "execle": "nothing here starts another program",
    "execv": "nothing here starts another program",
    "execve": "nothing here starts another program",
    "execvp": "nothing here starts another program",
    "execvpe": "nothing here starts another program",
    "posix_spawn": "nothing here starts another program",
    "posix_spawnp": "nothing here starts another program",
    "vfork": "fork",
}

FUNCTION_LINES = 80
FILE_LINES = 500

_include = re.compile(r'^\s*#\s*include\s*(<[^>]+>|"[^"]+")')
_call = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")


def _includes(path):
    for number, line in lines(path, stripped=False):
        if match := _include.match(line):
            yield number, match[1]


def _forbidden(path, header):
    own = layer(path)
    if "/" not in header:
        if header == "app.h" and own not in ("", "cli"):
            return "only main and cli include app.h"
        return None
    wanted = header.split("/")[0]
    allowed = ARROWS.get(own, "")
    if own not in ARROWS:
        return f"folder {own} has no row in the table of arrows (tests/lint/rules_code.py)"
    if wanted == own or allowed is None or wanted in allowed.split() or (own, header) in EXCEPTIONS:
        return None
    return f"{own}/ may include {allowed or 'nothing'} (and itself), not {wanted}/"


@rule
def include_arrows():
    """layers include only what lies below them"""
    for path in sources():
        for number, header in _includes(path):
            if header[0] == '"' and (why := _forbidden(path, header[1:-1])):
                yield at(path, number, f"{header}: {why}")


@rule
def include_paths():
    """own headers are included relative to fcgi-app, and exist"""
    for path in sources("fcgi-app", "tests"):
        for number, header in _includes(path):
            name = header[1:-1]
            if header[0] == '"' and not any((folder / name).exists() for folder in (TOP / "fcgi-app", path.parent, TOP / "tests")) \
                    and not name.endswith("_gen.h"):
                yield at(path, number, f"{header} is not there")


@rule
def library_doors():
    """each library is seen by one part of the program only"""
    for path in sources():
        own = str(path.relative_to(TOP / "fcgi-app"))
        for number, header in _includes(path):
            for library, door in DOORS.items():
                if header[1:-1].startswith(library) and not own.startswith(door):
                    yield at(path, number, f"{header} belongs to {door} alone")


@rule
def banned_functions():
    """nothing calls a function that hides errors, overruns buffers or starts programs"""
    for path in sources("fcgi-app", "tests"):
        for number, line in lines(path):
            for match in _call.finditer(line):
                yield at(path, number, f"{match[1]}(): {BANNED[match[1]]}")


@rule
def no_leftovers():
    """no code is switched off and nothing is promised in a comment"""
    for path in sources("fcgi-app", "tests"):
        for number, line in lines(path, stripped=False):
            if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line) or re.match(r"\s*#\s*if\s+0\b", line):
                yield at(path, number, line.strip())


@rule
def function_length():
    """no function is longer than 80 lines"""
    for path in sources("fcgi-app", "tests", kinds=(".c",)):
        start = 0
        for number, line in lines(path):
            if line.rstrip() == "{":
                start = number
            elif line.startswith("}") and start:
                if number - start - 1 > FUNCTION_LINES:
                    yield at(path, start, f"{number - start - 1} lines: there are two things in it")
                start = 0


@rule
def file_length():
    """no source is longer than 500 lines"""
    for path in sources():
        count = text(path).count("\n")
        if count > FILE_LINES and path.suffix != ".def":
            yield at(path, count, f"{count} lines: there are two things in it")
