"""./check counts what failed once, whoever ran it and however often it failed."""
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent

SUITE = """
import pytest

@pytest.fixture
def torn():
    yield
    raise OSError

def test_passes(): pass
def test_fails(): assert False
def test_fails_twice(torn): assert False
def test_fails_at_its_end(torn): pass
def test_is_skipped(): pytest.skip("why")
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_failure_counts_once(tmp_path, workers):
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "test_broken.py").write_text("import nothing_of_that_name\n")
    rows = tmp_path / "rows.tsv"
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "report", "-n", workers, "--rows", rows, "--continue-on-collection-errors", tmp_path],
                   cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(TESTS)}, capture_output=True, timeout=600)
    told = [line.split("\t") for line in rows.read_text().splitlines()]
    assert Counter(outcome for _, outcome, _ in told) == {"passed": 1, "failed": 4, "skipped": 1}
    assert len({name for _, _, name in told}) == 6 and all(float(seconds) >= 0 for seconds, _, _ in told)
