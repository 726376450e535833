"""Every answer that was paid for, in a SQLite file: written the moment it is there, so that a killed run loses only
what was in flight.

SQLite rather than Inspect's log: the log is written in batches when samples are finished, and what the process had
answers to but had not yet flushed would be asked, and paid, again.
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
    """The final answer."""
    reasoning: str
    """The reasoning trace where the provider shows one."""
    stop_reason: str
    prompt_tokens: int | None
    """Tokens sent, cached ones included."""
    completion_tokens: int | None
    """Tokens answered, reasoning included."""
    reasoning_tokens: int | None
    latency_s: float | None
    """Wall-clock seconds of the attempt that succeeded."""
    ttft_s: float | None
    """Seconds from that attempt's request to its first token, reasoning or answer; None where nothing streamed."""
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
        path: SQLite file, made when missing; `:memory:` keeps nothing.

    Raises:
        UserError: it is no ledger, or of another format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None)
        try:
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")  # a paid answer survives a power cut
            found = self._db.execute("pragma user_version").fetchone()[0]
            if found not in (0, FORMAT):
                raise UserError(f"{path}: ledger format {found}; expected {FORMAT}")
            self._db.executescript(_TABLES)
            self._db.execute(f"pragma user_version = {FORMAT}")
        except sqlite3.DatabaseError as error:
            raise UserError(
                f"{path}: not a ledger of calls ({error}); move it away or give another out="
            ) from error

    def close(self) -> None:
        """Fold the write-ahead log into the file."""
        self._db.close()

    def register(
        self, benchmark: str, questions: Iterable[Question], requests: Iterable[TargetRequest]
    ) -> None:
        """Note what is going to be asked.

        Raises:
            UserError: a query id has another text now, or a target is asked differently than in the calls that are
                there: their outcomes would not be of one kind.
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
        """The target's answer, or None."""
        query = f"select {_CALL_COLUMNS} from calls where target = ? and query_id = ?"
        row = self._db.execute(query, (target, query_id)).fetchone()
        return Call(*row) if row else None

    def add_call(self, call: Call) -> None:
        """Keep an answer; on disk when this returns."""
        marks = ", ".join("?" * len(fields(Call)))
        with self._transaction():
            self._db.execute(f"insert or replace into calls({_CALL_COLUMNS}) values ({marks})", astuple(call))
            self._db.execute(
                "delete from failures where target = ? and query_id = ?", (call.target, call.query_id)
            )

    def add_failure(self, target: str, query_id: str, error: str, attempts: int) -> None:
        """Keep that a call failed for good in this run; the next run tries again."""
        self._db.execute(
            "insert or replace into failures values (?, ?, ?, ?, ?)",
            (target, query_id, error, attempts, time.time()),
        )

    def scored(self, target: str, scorer: str) -> set[str]:
        """Query ids whose answer this very scorer has judged, and not in vain."""
        rows = self._db.execute(
            "select query_id from scores where target = ? and scorer = ? and correct is not null",
            (target, scorer),
        )
        return {row[0] for row in rows}

    def add_score(self, target: str, query_id: str, scorer: str, verdict: Verdict) -> None:
        """Keep a verdict in place of an earlier one."""
        self._db.execute(
            "insert or replace into scores values (?, ?, ?, ?, ?, ?, ?)",
            (
                target,
                query_id,
                scorer,
                verdict.correct,
                verdict.answer,
                verdict.explanation,
                verdict.cost_usd,
            ),
        )

    def accuracy(self, target: str, query_ids: set[str]) -> float:
        """Mean `correct` of the target on these queries; all must be scored."""
        rows = self._db.execute("select query_id, correct from scores where target = ?", (target,))
        return sum(correct for query_id, correct in rows if query_id in query_ids) / len(query_ids)

    def spent_usd(self) -> float:
        """Cost of all calls and judgements so far, at the pool's prices."""
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
        """(target, query id, error) of every call that failed and was not made good since."""
        return list(
            self._db.execute("select target, query_id, error from failures order by target, query_id")
        )

    def rows(self, query: str) -> list[tuple]:
        """Result of a select, for the tables that are made of the ledger."""
        return list(self._db.execute(query))

    def _register_question(self, benchmark: str, question: Question) -> None:
        found = self._db.execute(
            "select benchmark, prompt from questions where query_id = ?", (question.query_id,)
        ).fetchone()
        if found is not None and found != (benchmark, question.prompt):
            raise UserError(
                f"{self.path}: query '{question.query_id}' of benchmark '{benchmark}' has another text than when it "
                f"was asked (of '{found[0]}'); give another out="
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
                f"{self.path}: target '{request.target}' was asked with {key} {before.get(key)}, now {now[key]}; "
                "give the target another name, or another out="
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
