"""The mutation run: which faults it plants, and that it tells tests that notice them from tests that do not."""

import subprocess
import sys
from pathlib import Path

import pytest

from experiments.mutants.__main__ import read_results
from experiments.mutants.mutations import mutants_of
from experiments.mutants.tree import Tree

SOURCE = '''"""Text 1 < 2."""


def least(values, axis: int = 1):
    """1 < 2"""
    if len(values) < 1 and not axis:
        raise ValueError(f"{1 + 1} values")
    return values.argmin(axis=axis) - 2
'''


def test_faults_are_one_expression_each_and_spare_the_words() -> None:
    found = mutants_of("a.py", SOURCE)
    changes = {(mutant.line, mutant.before, mutant.after) for mutant in found}
    assert changes == {
        (4, "1", "2"),
        (4, "1", "0"),
        (6, "len(values) < 1 and not axis", "((len(values) < 1) or (not axis))"),
        (6, "len(values) < 1 and not axis", "(not (len(values) < 1 and (not axis)))"),
        (6, "len(values) < 1", "(len(values) <= 1)"),
        (6, "len(values) < 1", "(len(values) > 1)"),
        (6, "1", "2"),
        (6, "1", "0"),
        (6, "not axis", "(axis)"),
        (8, "values.argmin(axis=axis) - 2", "None"),
        (8, "values.argmin(axis=axis) - 2", "((values.argmin(axis=axis)) + (2))"),
        (8, "values.argmin", "values.argmax"),
        (8, "values.argmin(axis=axis)", "values.argmin()"),
        (8, "2", "3"),
        (8, "2", "1"),
    }
    assert {mutant.line for mutant in found if mutant.at_import} == {4}
    for mutant in found:
        compile(mutant.source, "a.py", "exec")
        lines = zip(mutant.source.splitlines(), SOURCE.splitlines(), strict=True)
        assert [a != b for a, b in lines].index(True) == mutant.line - 1
    assert len({mutant.name for mutant in found}) == len(found)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A package of one room, a test that looks at half of it, and the plugin itself."""
    folder = tmp_path / "checkout"
    files = {
        "prefillroute/__init__.py": "",
        "prefillroute/router/__init__.py": "",
        "prefillroute/router/sums.py": "def double(x):\n    return x + x\n\n\ndef half(x):\n    return x / 2\n",
        "tests/router/test_sums.py": "from prefillroute.router.sums import double, half\n\n\n"
        "def test_double():\n    assert double(3) == 6\n\n\ndef test_half():\n    half(3)\n",
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "--import-mode=importlib"\n',
    }
    plugin = Path(__file__).parents[2] / "experiments" / "mutants"
    for path in (plugin.parent / "mutants").glob("*.py"):
        files[f"experiments/mutants/{path.name}"] = path.read_text()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_mutant_meets_the_tests_that_run_its_line(checkout: Path, tmp_path: Path) -> None:
    pytest.importorskip("coverage")
    tree = Tree.copy(checkout, tmp_path / "work")
    assert Tree.copy(checkout, tmp_path / "work").root == tree.root
    line_map = tree.line_map(["router"])
    (path,) = tree.sources("router")[-1:]
    before = (tree.files / path).read_bytes()
    verdicts = {}
    for mutant in mutants_of(path, before.decode()):
        tests = tree.tests_of("router", mutant, line_map)
        verdicts[mutant.after] = (tests, tree.try_mutant(mutant, tests, 60)[0])
    double, half = [["tests/router/test_sums.py::test_double"]], [["tests/router/test_sums.py::test_half"]]
    assert verdicts["((x) - (x))"] == (double, "killed")
    assert verdicts["((x) * (2))"] == (half, "survived")
    assert (tree.files / path).read_bytes() == before == (checkout / path).read_bytes()
    (checkout / path).write_text("def double(x):\n    return 2 * x\n")
    assert Tree.copy(checkout, tmp_path / "work").root != tree.root


def test_results_outlive_a_stop_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text('{"mutant": "a", "verdict": "killed"}\n{"mutant": "b", "verd')
    assert read_results(path) == {"a": {"mutant": "a", "verdict": "killed"}}
    assert read_results(tmp_path / "none.jsonl") == {}


def test_the_command_names_its_rooms() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "experiments.mutants", "--rooms", "kitchen"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "invalid choice: 'kitchen'" in done.stderr
