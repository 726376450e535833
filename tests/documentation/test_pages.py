"""Every code block of the README and of docs/ runs as it is written, in order, in a fresh clone."""

import subprocess
from pathlib import Path

import pytest

from experiments.documentation.blocks import read_blocks
from experiments.documentation.commands import command_lines, compose
from experiments.documentation.place import ROOT, Place, build

PAGES = [
    ROOT / "README.md",
    ROOT / "slurm" / "README.md",
    ROOT / "experiments" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
LANGUAGES = {"bash", "python", "yaml", "csv", "json"}

pytestmark = [pytest.mark.documentation, pytest.mark.smollm2]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One for all pages: what was extracted for one need not be for the next."""
    return build(tmp_path_factory.mktemp("documentation"))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_every_block_of_a_page_works(
    page: Path, place: Place, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The README starts from nothing, as its reader does; every other page inside a clone."""
    if page.parent.name == "slurm":
        request.getfixturevalue("cluster")
    folder = tmp_path
    if page != PAGES[0]:
        subprocess.run(
            ["git", "clone", "-q", place.origin, "clone"], cwd=tmp_path, env=place.environment, check=True
        )
        folder = tmp_path / "clone"
    for block in read_blocks(page):
        where = f"{page.name}:{block.line}"
        assert block.language in LANGUAGES, (
            f"{where}: a block in '{block.language}'; expected {sorted(LANGUAGES)}"
        )
        if block.not_run is not None:
            for words in command_lines(block.text):
                compose(words, folder / "conf")
        elif block.path is not None:
            (folder / block.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.path).write_text(block.text, encoding="utf-8")
        else:
            folder = place.run(block, folder, where)
