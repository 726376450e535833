"""Writes the ledger as an outcome folder; calls that failed are left out."""

from pathlib import Path

import pandas as pd

from prefillroute.errors import UserError
from prefillroute.harness.ledger import Ledger
from prefillroute.outcomes.files import OUTCOMES_FILE, QUERIES_FILE, write_outcomes

LEDGER_FILE = Path("collect") / "calls.sqlite"
LOG_FOLDER = Path("collect") / "logs"


def check_folder(out: Path) -> None:
    """Refuse to overwrite tables that did not come from a collection.

    Raises:
        UserError: names the file.
    """
    if out.joinpath(LEDGER_FILE).is_file():
        return
    for name in (QUERIES_FILE, OUTCOMES_FILE):
        if (out / name).exists():
            raise UserError(
                f"{out / name}: expected a table made by collect, found another, which would be overwritten; give "
                "another folder with out="
            )


def outcome_frames(ledger: Ledger) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the queries and outcomes of all scored answers (DESIGN section 4); queries without any are left out."""
    outcomes = pd.DataFrame(
        ledger.rows(
            "select c.query_id, c.target, s.correct, c.prompt_tokens, c.completion_tokens, c.latency_s, c.ttft_s, "
            "c.cost_usd from calls c join scores s using (target, query_id) where s.correct is not null "
            "order by c.target, c.query_id"
        ),
        columns=[
            "query_id", "target", "correct", "prompt_tokens", "completion_tokens", "latency_s", "ttft_s", "cost_usd",
        ],
    )  # fmt: skip
    for name in outcomes.columns[2:]:
        outcomes[name] = outcomes[name].astype(float)
    queries = pd.DataFrame(
        ledger.rows(
            "select query_id, benchmark, category, prompt from questions order by benchmark, query_id"
        ),
        columns=["query_id", "benchmark", "category", "prompt"],
    )
    kept = queries["query_id"].isin(outcomes["query_id"])
    return queries[kept].reset_index(drop=True), outcomes


def write_tables(ledger: Ledger, out: Path) -> int:
    """Write queries.parquet and outcomes.parquet afresh; if no outcome is known, write nothing.

    Returns:
        Number of outcomes written.
    """
    queries, outcomes = outcome_frames(ledger)
    if len(outcomes):
        write_outcomes(out, queries, outcomes)
    return len(outcomes)
