"""A pytest plugin that writes down which tests execute which line: `-p experiments.mutants.line_map`.

What fixtures execute is written down for every test of the folder, since a fixture of a session or a module runs once,
for whichever test comes first; what imports execute is written down for all tests.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

from experiments.mutants.tree import EVERYWHERE


class LineMap:
    """Traces the package while the tests run; the environment names the file to write (MUTANTS_LINE_MAP)."""

    def __init__(self, root: Path, out: Path) -> None:
        self.root, self.out = root, out
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []
        self.coverage = coverage.Coverage(
            data_file=None, source=[str(root / "prefillroute")], config_file=False
        )
        self.coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        """Lines of fixtures belong to the folder."""
        self.coverage.switch_context(item.nodeid.split("::")[0].rpartition("/")[0])
        yield

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Lines of the test itself."""
        self.coverage.switch_context(item.nodeid)
        yield
        self.coverage.switch_context(EVERYWHERE)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """How long each took, to run the fast ones first."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write path to line to contexts, and the seconds of every test."""
        self.coverage.stop()
        data = self.coverage.get_data()
        lines = {
            str(Path(path).relative_to(self.root)): {
                str(line): sorted(contexts) for line, contexts in data.contexts_by_lineno(path).items()
            }
            for path in data.measured_files()
        }
        self.out.write_text(json.dumps({"lines": lines, "seconds": self.seconds, "failed": self.failed}))


def pytest_configure(config: pytest.Config) -> None:
    """Start before the tests are collected, so that imports are seen."""
    config.pluginmanager.register(LineMap(config.rootpath, Path(os.environ["MUTANTS_LINE_MAP"])))
