"""Names in figures: characters that no installed font has are drawn as escapes, and long names lose their middle."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from prefillroute.text.visible import escaped, visible

FALLBACKS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "IPAGothic",
    "NanumGothic",
    "PingFang SC",
    "Hiragino Sans GB",
    "Apple SD Gothic Neo",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Arial Unicode MS",
    "Noto Sans",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Noto Emoji",
    "Symbola",
    "Segoe UI Emoji",
    "Segoe UI Symbol",
    "Unifont",
)
"""System fonts that have the characters which DejaVu Sans lacks; those that are installed are tried in this order."""


@dataclass(frozen=True)
class DrawnNames:
    """Names in the form in which a figure draws them."""

    names: tuple[str, ...]
    """One drawn name per name, in the order given; different names are drawn differently."""
    stands_for: Mapping[str, str]
    """From a drawn name with escapes to the name with its own characters, for SVG, which uses the reader's fonts."""


def drawn_names(names: Sequence[str], longest: int = 30) -> DrawnNames:
    """Make names that a figure can draw.

    Args:
        names: any text, in any script.
        longest: greatest number of characters; the middle of a longer name is cut out, and names that then look alike
            are told apart by their positions in `names`, counted from 1.
    """
    cut = [_cut([(_drawn(sign), sign) for sign in visible(name)], longest) for name in names]
    common = {drawn for drawn, times in Counter(drawn for drawn, _ in cut).items() if times > 1}
    cut = [
        (f"{drawn} #{number}", f"{meant} #{number}") if drawn in common else (drawn, meant)
        for number, (drawn, meant) in enumerate(cut, start=1)
    ]
    return DrawnNames(
        tuple(drawn for drawn, _ in cut), {drawn: meant for drawn, meant in cut if drawn != meant}
    )


@cache
def font_families() -> tuple[str, ...]:
    """DejaVu Sans, which comes with matplotlib, and the fallback fonts that this machine has."""
    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in FALLBACKS if name in installed))


@cache
def _signs() -> frozenset[int]:
    """The code points that at least one of the fonts has."""
    files = [font_manager.findfont(name) for name in font_families()]
    return frozenset().union(*(FT2Font(file).get_charmap() for file in files))


def _drawn(sign: str) -> str:
    return sign if ord(sign) in _signs() else escaped(sign)


def _cut(pieces: list[tuple[str, str]], longest: int) -> tuple[str, str]:
    """The pieces (drawn, meant) joined; the middle ones are left out if the drawn name would be too long."""
    if sum(len(drawn) for drawn, _ in pieces) > longest:
        tail = _fitting(pieces[::-1], (longest - 1) // 2)[::-1]
        head = _fitting(pieces, longest - 1 - sum(len(drawn) for drawn, _ in tail))
        pieces = [*head, ("…", "…"), *tail]
    return "".join(drawn for drawn, _ in pieces), "".join(meant for _, meant in pieces)


def _fitting(pieces: list[tuple[str, str]], longest: int) -> list[tuple[str, str]]:
    kept, size = [], 0
    for piece in pieces:
        size += len(piece[0])
        if size > longest:
            break
        kept.append(piece)
    return kept
