"""For ./check: what a run of pytest did, a row per test, as `seconds TAB outcome TAB name` in the file of --rows.

A test that fails in its body and once more when its fixtures end is one failure; so is a file that cannot be imported.
"""
from pathlib import Path


class Rows:
    def __init__(self, path):
        self.path, self.rows = Path(path), {}

    def _row(self, name):
        return self.rows.setdefault(name, [0.0, "passed"])

    def pytest_runtest_logreport(self, report):
        row = self._row(report.nodeid)
        row[0] += report.duration
        if report.failed:
            row[1] = "failed"
        elif report.skipped and row[1] == "passed":
            row[1] = "skipped"

    def pytest_collectreport(self, report):
        if report.failed:
            self._row(report.nodeid)[1] = "failed"

    def pytest_unconfigure(self):
        with self.path.open("a") as file:
            file.writelines(f"{seconds:.3f}\t{outcome}\t{name}\n" for name, (seconds, outcome) in self.rows.items())


def pytest_addoption(parser):
    parser.addoption("--rows", help="add a row for each test to this file")


def pytest_configure(config):
    path = config.getoption("rows")
    if path and not hasattr(config, "workerinput"):  # the workers of xdist tell their controller
        config.pluginmanager.register(Rows(path))
