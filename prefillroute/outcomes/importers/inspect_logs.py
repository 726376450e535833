"""Inspect AI's logs: `.eval` and `.json`, of any of its benchmarks and of several models.

A query is `<task>/<sample id>` (`inspect_runs`); its text, score, tokens and times are read as `inspect_samples`
says. What ended in an error or was not scored is missing, never wrong. Logs of runs that did not end well give the
samples that they completed; damaged files are left out by name and the others taken.

A `.eval` log is read in batches of samples. A `.json` log is read whole, as Inspect itself must: turn a huge one
into `.eval` first (`inspect log convert --to eval`).
"""

import importlib
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefillroute.errors import UserError
from prefillroute.outcomes.importers import inspect_json, inspect_samples
from prefillroute.outcomes.importers.collector import Collector
from prefillroute.outcomes.importers.contract import Advance, Given
from prefillroute.outcomes.importers.inspect_runs import Run, add_runs
from prefillroute.outcomes.importers.inspect_samples import Answer, ScoreError
from prefillroute.text import hints

if TYPE_CHECKING:  # an optional extra; the other layouts work without it
    from inspect_ai.log import EvalLog, EvalSample

JSON_LOG = re.compile(rb'\s*\{\s*"version"\s*:\s*\d+\s*,\s*"status"')
"""How a JSON log starts: Inspect fixes the order of its fields."""
UNREADABLE = "sample that could not be read"
UNREAD = {"messages", "output", "attachments", "timelines", "error_retries"}
"""Parts of a sample that nothing here needs, and that are the bulk of an agent's log."""
BATCH_BYTES = 4 << 20
"""Of a zip file, read at a time: some 100 MB in memory. Every batch reads the zip's directory anew."""


def find(path: Path) -> list[Path]:
    """The log, or the `.eval` and `.json` files of a folder.

    Raises:
        UserError: when there is none.
    """
    if path.is_file():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix in (".eval", ".json") and file.is_file())
    if not found:
        raise UserError(f"{path}: expected .eval or .json files, found no log of Inspect")
    return found


def read(
    given: Given,
    collector: Collector,
    advance: Advance,
    scorer: str | None = None,
    metric: str | None = None,
    target: Sequence[str] = (),
) -> None:
    """Take all logs together.

    Args:
        given: logs; JSON files that are none are counted and skipped.
        collector: where outcomes go.
        advance: told how many bytes were read.
        scorer: whose score is taken; by default each log's first.
        metric: key to take where a score is a dict.
        target: `OLD=NEW`, a target as in the logs and its name in the table.

    Raises:
        UserError: when inspect-ai is not installed, or ``target`` names one that no log has.

    Example::

        collector = Collector()
        read(Given.at([Path("logs")], find), collector, advance=lambda size: None, target=["openai/o3=o3"])
        queries, outcomes = collector.frames()
    """
    renamed = _renamed(target)
    inspect = _inspect_log()
    runs = []
    for file in dict.fromkeys(file.resolve() for file in given.files):
        header = _header(inspect, file, collector)
        if header is None:
            advance(file.stat().st_size)
        else:
            runs.append(Run(file, header, inspect_samples.target_name(header)))
    # Newest first: ISO 8601 in UTC, into which Inspect turns older logs' times as well.
    runs.sort(key=lambda run: (run.header.eval.created, run.file), reverse=True)
    names = sorted({run.target for run in runs})
    for old in renamed:
        if old not in names:
            raise UserError(f"--target: expected one of {', '.join(names) or 'no target'}, found {old}")
    for run in runs:
        run.target = renamed.get(run.target, run.target)
        _read(inspect, run, collector, advance, scorer, metric)
    add_runs(runs, collector)


def _renamed(pairs: Sequence[str]) -> dict[str, str]:
    """Target as in the logs -> its name in the table."""
    renamed = {}
    for pair in pairs:
        old, _, new = pair.rpartition("=")  # the last one: a target's reasoning mode has its own
        if not old or not new:
            raise UserError(f"--target: expected OLD=NEW, found {pair}")
        renamed[old] = new
    return renamed


def _inspect_log() -> Any:
    try:
        return importlib.import_module("inspect_ai.log")
    except ModuleNotFoundError as error:
        raise UserError(
            f"logs of Inspect: expected the module '{error.name}', found none; run {hints.install('harness')}"
        ) from error


def _header(inspect: Any, file: Path, collector: Collector) -> "EvalLog | None":
    newest = inspect.EvalLog.model_fields["version"].default
    try:
        if file.suffix == ".json":
            with file.open("rb") as stream:
                if not JSON_LOG.match(stream.read(4096)):
                    collector.skip("JSON file that is no log of Inspect", str(file))
                    return None
        elif not zipfile.is_zipfile(file):
            raise ValueError("not a whole zip file")
        header: EvalLog
        if file.suffix == ".json":
            header = inspect_json.read_header(inspect.read_eval_log, file)
        else:
            header = inspect.read_eval_log(file, header_only=True)
        if header.version > newest:
            raise ValueError(
                f"version {header.version} of the log format; this inspect-ai reads up to {newest}"
            )
    except Exception as error:  # whatever Inspect's parsers raise, the other logs are not lost
        _leave_out(file, error, collector)
        return None
    return header


def _leave_out(file: Path, error: Exception, collector: Collector) -> None:
    text = " ".join(str(error.__cause__ or error).split())
    collector.skip(f"{file.name} could not be read ({text:.160})", str(file))


def _read(
    inspect: Any, run: Run, collector: Collector, advance: Advance, scorer: str | None, metric: str | None
) -> None:
    """Fill ``run.answers``."""
    wanted = scorer or _first_scorer(run.header)
    try:
        for sample in _samples(inspect, run, collector, advance):
            where = f"{run.file} sample {sample.id} epoch {sample.epoch}"
            reason = inspect_samples.missing_reason(sample)
            scores = sample.scores or {}
            name = wanted or next(iter(scores), "")
            run.scorers.update(dict.fromkeys(scores))
            correct = None
            try:
                if reason is None and name in scores:
                    correct = inspect_samples.score_value(scores[name].value, metric)
            except ScoreError as error:
                run.refused = reason = run.refused or f"task '{run.task}' left out: scorer '{name}': {error}"
            prompt = inspect_samples.prompt_text(sample)
            if reason is None and correct is None:
                reason = f"sample without a score of '{name}'" if name else "sample without a score"
            elif reason is None and not prompt.strip():
                reason = "sample without query text"
            if reason is not None or correct is None:
                collector.skip(str(reason), where)
                continue
            answer = Answer(
                sample_id=str(sample.id),
                epoch=sample.epoch,
                # One string for all the models' logs and epochs that have it.
                question=sys.intern(inspect_samples.question_text(sample)),
                prompt=sys.intern(prompt),
                category=inspect_samples.category(sample),
                correct=correct,
                measures=inspect_samples.measures(sample, run.header.eval.model),
            )
            run.answers.append(answer)
    except Exception as error:  # as for the header
        run.answers.clear()
        _leave_out(run.file, error, collector)


def _first_scorer(header: "EvalLog") -> str | None:
    if header.results is not None and header.results.scores:
        return header.results.scores[0].scorer
    # A run that was stopped has no results; its scorers are named with their package.
    return header.eval.scorers[0].name.rpartition("/")[2] if header.eval.scorers else None


def _samples(inspect: Any, run: Run, collector: Collector, advance: Advance) -> "Iterator[EvalSample]":
    size = run.file.stat().st_size
    if run.file.suffix == ".json":
        yield from inspect_json.read_samples(
            inspect.read_eval_log, run.file, lambda where: collector.skip(UNREADABLE, where)
        )
        advance(size)
        return
    keys = [(entry.id, entry.epoch) for entry in inspect.read_eval_log_sample_summaries(run.file)]
    step = max(1, min(512, len(keys) * BATCH_BYTES // max(size, 1)))
    told = 0
    for start in range(0, len(keys), step):
        batch = keys[start : start + step]
        try:
            samples = inspect.read_eval_log_samples_by_id(run.file, batch, exclude_fields=UNREAD)
        except Exception:  # one of them is damaged: which one?
            samples = []
            for key in batch:
                try:
                    samples.append(inspect.read_eval_log_sample(run.file, *key, exclude_fields=UNREAD))
                except Exception:
                    where = f"{run.file} sample {key[0]} epoch {key[1]}"
                    collector.skip(UNREADABLE, where)
        yield from samples
        done = size * (start + len(batch)) // len(keys)
        advance(done - told)
        told = done
    advance(size - told)
