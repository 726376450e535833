"""Names that users have, and names that nobody expects."""

from collections.abc import Sequence

from hypothesis import strategies as st

from prefillroute.text.hints import hydra_value

NAMES = (
    "o3[high]", "o3[low]", "claude[/think]", "openai/gpt-4o:free", ":smile: [bold red]x[/bold red]",
    "openai/o3 (reasoning_effort=high, reasoning_tokens=1000)", "vllm/x (a=1, b=2)", "it's \"quoted\"", "back\\slash\\",
    "$x^2$ $(id) `id`", "<script>alert(1)</script>", "{{ 7*7 }} ${oc.env:HOME}", "文心一言", "👩‍🔬 lab", "שלום 2",
    "\u202egpj.exe", "-leading", "=cmd|' /C calc'!A0", "@sum", "100 % s", "_hidden", "tab\there",
    "line\nbreak", "\x1b[31mred\x07", "x" * 299 + "1", "x" * 299 + "2", "null", "1e3", "007", "a,b", "a#b", "~/x", "ªé",
)  # fmt: skip
"""Each at least two of: rich, Hydra, shell, HTML, jinja, YAML, spreadsheets, matplotlib, terminals take for more than
text.
"""

TEXTS = st.one_of(
    st.sampled_from(NAMES),
    st.text(
        st.sampled_from("[]:/()'\"\\,= $`{}<>&%@+-_#~*?!|;\n\r\t\x1b\x9b\u202e\u200f中é😀\u200dab01"),
        max_size=20,
    ),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
)
"""Anything but NUL and half characters."""

BROKEN = st.text(st.characters(), max_size=12)
"""Anything at all."""

CATEGORIES = ("=sums [x]", "<b>words</b>\n文")


def pool_override(names: Sequence[str] = NAMES, more: str = "") -> str:
    """A pool of these targets, each with prices and with `more` of its facts."""
    targets = (
        f"{{name:{hydra_value(name)},price_in:{i + 1},price_out:1{more}}}" for i, name in enumerate(names)
    )
    return f"pool.targets=[{','.join(targets)}]"
