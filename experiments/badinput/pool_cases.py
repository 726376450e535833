"""Bad outcome tables, prices and pools, met by `python train.py` and `prefillroute pool`."""

import pandas as pd

from experiments.badinput import toy
from experiments.badinput.case import Case
from experiments.badinput.damage import both, cell, cut, edited, removed
from experiments.badinput.workspace import Workspace

QUERIES, OUTCOMES = "queries.parquet", "outcomes.parquet"


def _train(workspace: Workspace) -> list[str]:
    return workspace.train()


def _prices(price_in: str, price_out: str) -> str:
    """`pool.targets` with the same prices for all."""
    names = (f"{{name:{name},price_in:{price_in},price_out:{price_out}}}" for name in toy.TARGETS)
    return f"pool.targets=[{','.join(names)}]"


def _only(*names: str) -> str:
    targets = (f"{{name:{name},price_in:1.0,price_out:2.0}}" for name in names)
    return f"pool.targets=[{','.join(targets)}]"


def _repeat_first(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.head(1)])


def _without_tokens_of_large(frame: pd.DataFrame) -> pd.DataFrame:
    lost = frame["target"] == "large"
    return frame.assign(**{name: frame[name].mask(lost) for name in ("prompt_tokens", "completion_tokens")})


def _large_is_right(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(correct=frame["correct"].mask(frame["target"] == "large", 1.0))


def _first_query(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["query_id"] == "q0"]


CASES = (
    Case("pool: table missing", _train, r"queries\.parquet.*import", removed("data/tiny/*")),
    Case(
        "pool: outcomes cut short", _train, r"outcomes\.parquet.*Parquet", cut("data/tiny/outcomes.parquet")
    ),
    Case("pool: queries cut short", _train, r"queries\.parquet.*Parquet", cut("data/tiny/queries.parquet")),
    Case(
        "pool: no column `prompt`",
        _train,
        r"queries\.parquet: expected the columns .*; add 'prompt'",
        edited(QUERIES, lambda frame: frame.drop(columns="prompt")),
    ),
    Case(
        "pool: no column `correct`",
        _train,
        r"outcomes\.parquet: expected the columns .*; add 'correct'",
        edited(OUTCOMES, lambda frame: frame.drop(columns="correct")),
    ),
    Case(
        "pool: duplicate outcome",
        _train,
        r"row 481: expected one outcome .*found a second",
        edited(OUTCOMES, _repeat_first),
    ),
    Case("pool: duplicate query", _train, r"row 161: .*once, found 'q0'", edited(QUERIES, _repeat_first)),
    Case("pool: correct is 1.5", _train, r"row 8: correct: .*found 1\.5", cell(OUTCOMES, 7, "correct", 1.5)),
    Case(
        "pool: negative tokens",
        _train,
        r"row 3: completion_tokens: .*found -4",
        cell(OUTCOMES, 2, "completion_tokens", -4),
    ),
    Case(
        "pool: empty prompt",
        _train,
        r"row 5: prompt of query 'q4': expected text",
        cell(QUERIES, 4, "prompt", " "),
    ),
    Case(
        "pool: outcome of no query",
        _train,
        r"row 1: query_id: .*found 'q999'",
        cell(OUTCOMES, 0, "query_id", "q999"),
    ),
    Case(
        "pool: unknown split",
        _train,
        "split: expected one of train, calibration, test, found 'dev'",
        edited(QUERIES, lambda f: f.assign(split="dev")),
    ),
    Case("pool: unknown target", lambda w: w.train(_only("small", "huge")), "'huge'.*large, medium, small"),
    Case("pool: unknown name in exclude", lambda w: w.train("pool.exclude=[hugo]"), "small.*hugo"),
    Case("pool: the same target twice", lambda w: w.train(_only("small", "small")), "small"),
    Case("price: NaN", lambda w: w.train(_prices("nan", "1.0")), "price_in.*nan"),
    Case("price: negative", lambda w: w.train(_prices("-1.0", "1.0")), r"price_in.*-1"),
    Case("price: a word", lambda w: w.train(_prices("cheap", "1.0")), "price_in.*cheap"),
    Case("price: all zero", lambda w: w.train(_prices("0.0", "0.0")), "cost|price"),
    Case(
        "cost: target without tokens or cost",
        _train,
        "large",
        edited(OUTCOMES, _without_tokens_of_large),
    ),
    Case(
        "pool: one query",
        _train,
        "quer",
        both(edited(QUERIES, _first_query), edited(OUTCOMES, _first_query)),
    ),
    Case("pool: one target", lambda w: w.train(_only("small")), "expected at least 2 .*found 1"),
    Case(
        "pool: a target that is always right (works, names it)",
        _train,
        r"targets\.large\.auc.*one class",
        edited(OUTCOMES, _large_is_right),
        status=0,
        reads="runs/second/metrics.json",
    ),
    Case(
        "price: equal costs (works, says what is undefined)",
        lambda w: w.train(_prices("1.0", "1.0")),
        r"test\.p_auccc.*cost",
        edited(OUTCOMES, lambda frame: frame.assign(completion_tokens=40)),
        status=0,
        reads="runs/second/metrics.json",
    ),
    Case("pool show: unknown pool", lambda w: w.command("pool", "show", "mmlu"), "mmlu_pro"),
    Case("pool show: table missing", lambda w: w.command("pool", "show", "zeroeval"), "queries.parquet"),
    Case(
        "import: folder missing",
        lambda w: w.command("import", "csv", "nowhere.csv", "--out", "data/mine"),
        "nowhere",
    ),
    Case("report: not a run folder", lambda w: w.command("report", "data"), "data"),
)
