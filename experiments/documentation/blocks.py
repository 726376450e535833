"""The code blocks of a Markdown page, in order, and what is to be done with each."""

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^`(?P<path>[^`]+)`:\s*\Z", re.MULTILINE)
NOT_RUN = re.compile(r"<!-- composed, not run: (?P<reason>.+?) -->\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    text: str
    line: int
    """Where it begins on the page."""
    path: str | None
    """A line "`conf/head/linear.yaml`:" right before the block: the file that the reader saves it as."""
    not_run: str | None
    """A comment right before the block says why it cannot run here; its commands are composed instead."""


def read_blocks(page: Path) -> list[Block]:
    """Find every fenced block of a page."""
    text = page.read_text(encoding="utf-8")
    blocks = []
    for found in FENCE.finditer(text):
        before = text[: found.start()]
        named, excused = FILE.search(before), NOT_RUN.search(before)
        blocks.append(
            Block(
                found["language"],
                found["text"],
                before.count("\n") + 1,
                named["path"] if named else None,
                excused["reason"] if excused else None,
            )
        )
    return blocks
