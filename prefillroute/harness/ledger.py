"""The ledger: a SQLite file of every answer that was paid for, written as soon as the answer arrives.

A killed run therefore loses only the calls in flight. Inspect's log would not do: it is written in batches as samples
finish, so answers that had arrived but were not yet flushed would be asked for, and paid for, again.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from prefillroute.errors import UserError
from prefillroute.harness.questions import Question
from prefillroute.harness.requests import TargetRequest
from prefillroute.harness.scorers.contract import Verdict

FORMAT = 1


@dataclass(frozen=True)
class Call:
    """One answer of a target."""

    target: str
    query_id: str
    response: str
    """The final answer, without the reasoning trace."""
    reasoning: str
    """The reasoning trace, if the provider shows one."""
    stop_reason: str
    prompt_tokens: int | None
    """Tokens sent, including cached ones."""
    completion_tokens: int | None
    """Tokens answered, including reasoning."""
    reasoning_tokens: int | None
    latency_s: float | None
    """Wall-clock seconds of the attempt that succeeded."""
    ttft_s: float | None
    """Seconds from that attempt's request to its first token of reasoning or answer; None if nothing was streamed."""
    cost_usd: float | None
    attempts: int
    finished_at: float
    """Unix seconds."""


_CALL_COLUMNS = ", ".join(field.name for field in fields(Call))
_TABLES = """
create table if not exists questions(
    query_id text primary key, benchmark text, category text, prompt text);
create table if not exists targets(target text primary key, fingerprint text, described text);
create table if not exists calls(
    target text, query_id text, response text, reasoning text, stop_reason text, prompt_tokens integer,
    completion_tokens integer, reasoning_tokens integer, latency_s real, ttft_s real, cost_usd real,
    attempts integer, finished_at real, primary key(target, query_id));
create table if not exists failures(
    target text, query_id text, error text, attempts integer, failed_at real, primary key(target, query_id));
create table if not exists scores(
    target text, query_id text, scorer text, correct real, answer text, explanation text, cost_usd real,
    primary key(target, query_id));
"""


class Ledger:
    """The calls of one outcome folder.

    Args:
        path: SQLite file, created if missing; `:memory:` keeps nothing.

    Raises:
        UserError: the file is not a ledger, or has another format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None)
        try:
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")  # a paid answer survives a power cut
            found = self._db.execute("pragma user_version").fetchone()[0]
            if found not in (0, FORMAT):
                raise UserError(
                    f"{path}: expected a ledger of format {FORMAT}, found format {found}; move it away or give another "
                    "out="
                )
            self._db.executescript(_TABLES)
            self._db.execute(f"pragma user_version = {FORMAT}")
        except sqlite3.DatabaseError as error:
            raise UserError(
                f"{path}: expected a ledger of calls, found another file ({error}); move it away or give another out="
            ) from error

    def close(self) -> None:
        """Close the database, which merges the write-ahead log into the file."""
        self._db.close()

    def register(
        self, benchmark: str, questions: Iterable[Question], requests: Iterable[TargetRequest]
    ) -> None:
        """Record what is going to be asked.

        Raises:
            UserError: a query id now has another text, or a target would be asked differently from the calls already
                here; their outcomes could not be compared.
        """
        with self._transaction():
            for question in questions:
                self._register_question(benchmark, question)
            for request in requests:
                self._register_target(request)

    def asked(self, target: str) -> set[str]:
        """Query ids that the target has answered."""
        rows = self._db.execute("select query_id from calls where target = ?", (target,))
        return {row[0] for row in rows}

    def call(self, target: str, query_id: str) -> Call | None:
        """The target's answer to a query, or None if it has not been asked."""
        query = f"select {_CALL_COLUMNS} from calls where target = ? and query_id = ?"
        row = self._db.execute(query, (target, query_id)).fetchone()
        return Call(*row) if row else None

    def add_call(self, call: Call) -> None:
        """Store an answer; it is on disk when this returns."""
        marks = ", ".join("?" * len(fields(Call)))
        with self._transaction():
            self._db.execute(f"insert or replace into calls({_CALL_COLUMNS}) values ({marks})", astuple(call))
            self._db.execute(
                "delete from failures where target = ? and query_id = ?", (call.target, call.query_id)
            )

    def add_failure(self, target: str, query_id: str, error: str, attempts: int) -> None:
        """Record that a call failed for good in this run; the next run tries again."""
        self._db.execute(
            "insert or replace into failures values (?, ?, ?, ?, ?)",
            (target, query_id, error, attempts, time.time()),
        )

    def scored(self, target: str, scorer: str) -> set[str]:
        """Query ids whose answer this scorer has judged with a result."""
        rows = self._db.execute(
            "select query_id from scores where target = ? and scorer = ? and correct is not null",
            (target, scorer),
        )
        return {row[0] for row in rows}

    def add_score(self, target: str, query_id: str, scorer: str, verdict: Verdict) -> None:
        """Store a verdict, replacing an earlier one."""
        judged = (verdict.correct, verdict.answer, verdict.explanation, verdict.cost_usd)
        self._db.execute(
            "insert or replace into scores values (?, ?, ?, ?, ?, ?, ?)", (target, query_id, scorer, *judged)
        )

    def accuracy(self, target: str, query_ids: set[str]) -> float:
        """Mean `correct` of the target on these queries, all of which must be scored."""
        rows = self._db.execute("select query_id, correct from scores where target = ?", (target,))
        return sum(correct for query_id, correct in rows if query_id in query_ids) / len(query_ids)

    def spent_usd(self) -> float:
        """Cost in USD of all calls and judgements so far, at the pool's prices."""
        calls = self._db.execute("select total(cost_usd) from calls").fetchone()[0]
        return float(calls + self._db.execute("select total(cost_usd) from scores").fetchone()[0])

    def calls_of_unknown_cost(self, target: str) -> list[str]:
        """Prompts of the target's calls whose provider did not say how many tokens they took."""
        rows = self._db.execute(
            "select prompt from calls join questions using (query_id) where target = ? and cost_usd is null",
            (target,),
        )
        return [row[0] for row in rows]

    def mean_tokens(self, target: str) -> tuple[float, float] | None:
        """Mean (prompt, completion) tokens of the target's calls; None before the first."""
        row = self._db.execute(
            "select avg(prompt_tokens), avg(completion_tokens) from calls where target = ?", (target,)
        ).fetchone()
        return None if row[0] is None or row[1] is None else (float(row[0]), float(row[1]))

    def failures(self) -> list[tuple[str, str, str]]:
        """(target, query id, error) of every call that failed and has not succeeded since."""
        return list(
            self._db.execute("select target, query_id, error from failures order by target, query_id")
        )

    def rows(self, query: str) -> list[tuple]:
        """Rows that a select statement returns; the outcome tables are made from these."""
        return list(self._db.execute(query))

    def _register_question(self, benchmark: str, question: Question) -> None:
        found = self._db.execute(
            "select benchmark, prompt from questions where query_id = ?", (question.query_id,)
        ).fetchone()
        if found is not None and found != (benchmark, question.prompt):
            raise UserError(
                f"{self.path}: query '{question.query_id}' of benchmark '{benchmark}': expected the text that was "
                f"asked before (in benchmark '{found[0]}'), found another; give another out="
            )
        self._db.execute(
            "insert or replace into questions values (?, ?, ?, ?)",
            (question.query_id, benchmark, question.category, question.prompt),
        )

    def _register_target(self, request: TargetRequest) -> None:
        described = json.dumps(request.described, sort_keys=True)
        found = self._db.execute(
            "select fingerprint, described from targets where target = ?", (request.target,)
        ).fetchone()
        if found is not None and found[0] != request.fingerprint and self.asked(request.target):
            before, now = json.loads(found[1]), request.described
            key = next(key for key in now if before.get(key) != now[key])
            raise UserError(
                f"{self.path}: target '{request.target}': expected {key} {before.get(key)} as in the calls so far, "
                f"found {now[key]}; give the target another name, or give another out="
            )
        self._db.execute(
            "insert or replace into targets values (?, ?, ?)",
            (request.target, request.fingerprint, described),
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")
