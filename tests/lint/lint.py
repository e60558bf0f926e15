#!/usr/bin/env python3
"""Taste that a program can check. Every rule is one TAP test; what breaks it is named `file:line: what and why`.

    tests/lint/lint.py [RULE...]      all rules, or those named

A rule is a function in rules_*.py with @rule, which yields findings. Nothing but Python is needed.
"""
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import rules_code  # noqa: E402
import rules_tables  # noqa: E402
import rules_tree  # noqa: E402
from tree import RULES  # noqa: E402

assert rules_code and rules_tables and rules_tree


def main(names):
    unknown = [name for name in names if name not in RULES]
    if unknown:
        sys.exit(f"no such rule: {' '.join(unknown)}; there are: {' '.join(RULES)}")
    chosen = names or list(RULES)
    print(f"1..{len(chosen)}")
    broken = 0
    for number, name in enumerate(chosen, 1):
        findings = list(RULES[name]())
        for finding in findings:
            print(f"# {finding}")
        broken += bool(findings)
        print(f"{'not ok' if findings else 'ok'} {number} - {name}: {RULES[name].__doc__.strip()}", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
