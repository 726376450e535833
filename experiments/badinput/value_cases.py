"""Values and names of a log: what must stay what it is, what is said of look-alikes, what is refused by its row."""

import json
from collections.abc import Mapping

from experiments.badinput.case import Case
from experiments.badinput.damage import Prepare, both, ran, written
from experiments.badinput.import_cases import imported
from experiments.badinput.tables import own_pool

Change = Mapping[str, object]
"""Of a good row: our name -> another cell."""

GOOD: Change = {"prompt": "p", "target": "a", "correct": 1}
FALSY: tuple[Change, ...] = (
    {"target": 0, "correct": 0},
    {"target": False, "correct": "false"},
    {"target": 0, "prompt": 0},
    {"target": False, "prompt": 0, "correct": "0"},
)
TWICE: tuple[Change, ...] = ({}, {"correct": 0}, {"target": "b"})

_log = imported("log.jsonl")


def _rows(*changes: Change) -> Prepare:
    """A log of one row per change of a good row."""
    return written("log.jsonl", "\n".join(json.dumps({**GOOD, **change}) for change in changes).encode())


def _taken(name: str, wanted: str, *changes: Change) -> Case:
    return Case(f"value: {name}", _log, wanted, _rows(*changes), status=0)


def _refused(name: str, message: str, change: Change) -> Case:
    return Case(f"value: {name}", _log, rf"log\.jsonl: row 2: {message}", _rows({"prompt": "q"}, change))


CASES = (
    Case(
        'value: 0, false and "0" stay what they are',
        lambda w: w.command("pool", "show", "mine"),
        r"^0 .* 0\.5000",
        both(own_pool("mine", ("0", "false")), _rows(*FALSY), ran(_log)),
        status=0,
        also=(r"^false .* 0\.0000", "queries +2, 2 with all outcomes"),
    ),
    _taken(
        "1 and 1.0 are one query where the prompt is one",
        r"1 query ids are a number written in two ways, with one prompt; .*'1\.0' is '1'",
        {"query_id": 1},
        {"query_id": "1.0", "target": "b"},
    ),
    _taken(
        "1 and 1.0 are two queries where the prompts differ",
        r"query ids '1' and '1\.0' differ only as numbers are written: they are kept apart",
        {"query_id": "1"},
        {"query_id": "1.0", "prompt": "q"},
    ),
    _taken(
        "targets that differ by blanks or case",
        "targets 'gpt' and 'gpt ' differ only by blanks; 'o3' and 'O3' differ only by case: they are kept apart",
        *({"target": name} for name in ("gpt", "gpt ", "o3", "O3")),
    ),
    _taken(
        "a target whose accents are composed otherwise",
        "targets '\u00e9' and 'e\u0301' differ only by case, blanks or accents",
        {"target": "\u00e9"},
        {"target": "e\u0301"},
    ),
    _taken(
        "prompts of one query that differ in blanks",
        "query 'x' has prompts that differ in blanks; the first is kept",
        {"query_id": "x", "prompt": "a b"},
        {"query_id": "x", "prompt": "a  b", "target": "b"},
    ),
    _taken(
        "a percentage and a word",
        "1 queries, 2 targets, 2 outcomes",
        {"correct": "50%"},
        {"target": "b", "correct": "Yes"},
    ),
    _taken("an unscored call", "1 queries, 2 targets, 2 outcomes", {"correct": None}, {"target": "b"}),
    _taken(
        "byte order marks before texts and within",
        "1 queries, 1 targets, 1 outcomes",
        {"prompt": "\ufeffp\ufeff", "target": "\ufeffa"},
    ),
    Case(
        "value: repeated samples",
        _log,
        "row 2: expected one outcome of target 'a' on query '.*--repeats mean takes the mean .*--repeats first",
        _rows(*TWICE),
    ),
    Case(
        "value: the mean of repeated samples",
        imported("log.jsonl", "--repeats", "mean"),
        "3 rows became 2 outcomes: means over repeated samples",
        _rows(*TWICE),
        status=0,
    ),
    Case(
        "value: the first of repeated samples",
        imported("log.jsonl", "--repeats", "first"),
        r"skipped 1: second outcome of a target on a query; first: .*log\.jsonl.*2",
        _rows(*TWICE),
        status=0,
    ),
    Case(
        "value: no such way with repeats",
        imported("log.jsonl", "--repeats", "sum"),
        "'sum'.*error.*mean.*first",
        _rows({}),
    ),
    _refused(
        "half an emoji",
        r"prompt: expected whole characters, found half of one \(U\+D83D at character 5",
        {"prompt": "cut \ud83d"},
    ),
    _refused(
        "half an emoji in a target",
        "target: expected whole characters, found half of one",
        {"target": "\ude00"},
    ),
    _refused(
        "a NUL character", "prompt: expected text, found a NUL character at character 2", {"prompt": "a\0b"}
    ),
    Case(
        "value: NUL bytes in a CSV file",
        imported("log.csv"),
        r"log\.csv: row 1: .*NUL",
        written("log.csv", b"prompt,target,correct\na\0b,a,1\n"),
    ),
    _refused(
        "a list for a prompt",
        r"prompt: expected text, found a list \(\[.*\]\)",
        {"prompt": [{"role": "user"}]},
    ),
    _refused("an empty target", "target: expected text, found an empty cell", {"target": " "}),
    _refused(
        "a word for a score",
        r"correct: expected a number in \[0, 1\], true or false, .*, found 'maybe'",
        {"correct": "maybe"},
    ),
    _refused("a score of nan", "correct: expected a number .*, found 'nan'", {"correct": "nan"}),
    _refused("a score beyond all numbers", "correct: expected a number .*, found 1000", {"correct": 10**400}),
    _refused(
        "a comma between thousands",
        "prompt_tokens: expected a number .*, found '1,234'; write it without a comma between thousands",
        {"prompt_tokens": "1,234"},
    ),
    _refused("negative cost", "cost_usd: expected a number not below 0.*, found -0.1", {"cost_usd": -0.1}),
    Case(
        "value: a second prompt under an id",
        _log,
        "row 2: prompt: expected one prompt per query_id .*, found a second one under 'x'",
        _rows({"query_id": "x"}, {"query_id": "x", "prompt": "q", "target": "b"}),
    ),
    Case(
        "value: a query in two parts",
        _log,
        "row 2: split: expected 'train' as in another row.*, found 'test'",
        _rows({"split": "train"}, {"split": "test", "target": "b"}),
    ),
)
