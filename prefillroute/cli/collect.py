"""`prefillroute collect pool=X benchmark=Y`: asks a pool's targets, scores the answers and writes the outcomes."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from prefillroute.config.build import build
from prefillroute.config.compose import compose_run, fact, read_fact
from prefillroute.config.facts import PoolConfig, ProviderConfig, TargetConfig
from prefillroute.config.schema import EstimateConfig, LimitsConfig
from prefillroute.errors import UserError
from prefillroute.harness.collect import Collected, Limits, collect
from prefillroute.harness.ledger import Ledger
from prefillroute.harness.plan import TargetPlan, check_limit, plan_targets, read_questions, spent_at_most
from prefillroute.harness.progress import Tally, collection_progress
from prefillroute.harness.questions import Benchmark, Question
from prefillroute.harness.requests import TargetRequest, target_request
from prefillroute.harness.scorers.contract import Scorer
from prefillroute.harness.tables import LEDGER_FILE, LOG_FOLDER, check_folder, write_tables
from prefillroute.locks.file_lock import FileLock
from prefillroute.outcomes.files import OUTCOMES_FILE
from prefillroute.outcomes.pool import pool_targets
from prefillroute.text import hints
from prefillroute.text.screen import Screen

REASONS_SHOWN = 3


def run(arguments: argparse.Namespace) -> int:
    """Plan the collection and, unless it is a dry run, carry it out; print what was done and what is missing.

    Returns:
        0, or 1 if an outcome is missing at the end.
    """
    config = compose_run(arguments.overrides, config_name="collect")
    pool, limits = fact(config.pool, PoolConfig), fact(config.limits, LimitsConfig)
    if str(config.out).startswith("pkg://"):
        raise UserError(f"out: expected a folder outside the package, found {config.out}; give one with out=")
    out = Path(str(config.out))
    targets = pool_targets(pool.targets, pool.exclude)
    benchmark: Benchmark = build(config.benchmark)
    requests = [_request(target, pool, limits, benchmark.instruction) for target in targets]
    questions = read_questions(benchmark, config.max_questions)
    scorer = benchmark.scorer()
    check_folder(out)
    if limits.spend_usd is not None:
        _check_prices(requests, scorer)
    ledger_path = out / LEDGER_FILE
    if arguments.dry_run and not ledger_path.is_file():
        ledger = Ledger(Path(":memory:"))
    else:
        ledger_path.parent.mkdir(parents=True, exist_ok=True)
        ledger = Ledger(ledger_path)
    assumed = _assumed_tokens(targets, fact(config.estimate, EstimateConfig))
    screen = Screen(columns=140)
    try:
        plans = plan_targets(requests, questions, scorer.identity, ledger, assumed)
        if arguments.dry_run:
            scorer.check()
            _print_estimate(plans, ledger, limits.spend_usd, screen)
            check_limit(plans, limits.spend_usd, limits.max_tokens)
            return 0
        check_limit(plans, limits.spend_usd, limits.max_tokens)
        with FileLock(ledger_path.with_suffix(".lock"), str(out)):
            ledger.register(benchmark.name, questions, requests)
            return _collect(plans, scorer, benchmark.name, questions, ledger, out, limits, screen)
    finally:
        ledger.close()


def _collect(
    plans: list[TargetPlan],
    scorer: Scorer,
    benchmark: str,
    questions: list[Question],
    ledger: Ledger,
    out: Path,
    limits: LimitsConfig,
    screen: Screen,
) -> int:
    total = {plan.request.target: len(plan.to_ask) + len(plan.to_score) for plan in plans}
    try:
        with collection_progress(total, ledger.spent_usd()) as tally:
            collected = collect(
                plans,
                scorer,
                benchmark,
                ledger,
                out / LOG_FOLDER,
                Limits(limits.retries, limits.attempt_s, limits.stall_s),
                limits.spend_usd,
                tally,
            )
    finally:
        # Whatever ended the run, write everything that is known so far to the outcome folder.
        written = write_tables(ledger, out)
    return _print_result(collected, plans, scorer, questions, ledger, out, written, tally, limits, screen)


def _request(
    target: TargetConfig, pool: PoolConfig, limits: LimitsConfig, instruction: str | None
) -> TargetRequest:
    if target.provider is None:
        raise UserError(
            f"pool '{pool.name}': target '{target.name}': expected a provider (an option of conf/provider), found "
            f"none; add one, or leave the target out with {hints.exclude(target.name)}"
        )
    provider = read_fact("provider", target.provider, ProviderConfig)
    return target_request(target, provider, limits.max_tokens, limits.connections, instruction)


def _check_prices(requests: Sequence[TargetRequest], scorer: Scorer) -> None:
    if not scorer.costs_known:
        raise UserError(
            "benchmark.judge_price_in: expected a price, found null; limits.spend_usd needs the judge's prices"
        )
    for request in requests:
        if request.cost_usd(1, 1) is None:
            raise UserError(
                f"target '{request.target}': expected price_in and price_out, found none; limits.spend_usd needs the "
                "prices of every target"
            )


def _assumed_tokens(targets: Sequence[TargetConfig], estimate: EstimateConfig) -> dict[str, float]:
    return {
        target.name: estimate.direct_tokens if target.mode == "direct" else estimate.thinking_tokens
        for target in targets
    }


def _print_estimate(
    plans: Sequence[TargetPlan], ledger: Ledger, limit_usd: float | None, screen: Screen
) -> None:
    table = Table(title="what would be asked", title_justify="left", box=SIMPLE_HEAD)
    headings = (
        "target",
        "to ask",
        "to score",
        "tokens in",
        "tokens out",
        "from",
        "USD expected",
        "USD at most",
    )
    for heading in headings:
        table.add_column(
            heading,
            justify="left" if heading in ("target", "from") else "right",
            no_wrap=heading != "target",
            overflow="fold",
        )
    for plan in plans:
        calls = len(plan.to_ask)
        table.add_row(
            plan.request.target,
            f"{calls:,}",
            f"{len(plan.to_score):,}",
            f"{calls * plan.prompt_tokens:,.0f}",
            f"{calls * plan.completion_tokens:,.0f}",
            "its calls so far" if plan.seen else "an assumption",
            _usd(None if plan.expected_usd is None else plan.expected_usd * calls),
            _usd(None if plan.most_usd is None else sum(plan.most_usd)),
        )
    screen.table(table)
    expected = sum((plan.expected_usd or 0.0) * len(plan.to_ask) for plan in plans)
    most = sum(sum(plan.most_usd or ()) for plan in plans)
    spent = spent_at_most(ledger, [plan.request for plan in plans])
    screen.print(f"expected {expected:,.4f} USD, at most {most:,.4f} USD; spent so far {spent:,.4f} USD")
    screen.print(
        "Until a target has calls, tokens in are characters / 4 and tokens out are what `estimate` assumes. 'At most' "
        "takes every answer to run to its max_tokens and every byte sent to be a token; it leaves out a judge's tokens."
    )
    if limit_usd is not None:
        verdict = "covers all of it" if spent + most <= limit_usd else "may stop it before its end"
        screen.print(
            f"limits.spend_usd={limit_usd:g} {verdict}: a call begins only if the most it can cost still fits"
        )


def _print_result(
    collected: Collected,
    plans: Sequence[TargetPlan],
    scorer: Scorer,
    questions: Sequence[Question],
    ledger: Ledger,
    out: Path,
    written: int,
    tally: Tally,
    limits: LimitsConfig,
    screen: Screen,
) -> int:
    missing = 0
    table = Table(title=f"{out / OUTCOMES_FILE}: {written:,} outcomes", title_justify="left", box=SIMPLE_HEAD)
    for heading in ("target", "questions", "answered", "scored", "failed now", "accuracy"):
        is_name = heading == "target"
        table.add_column(
            heading, justify="left" if is_name else "right", no_wrap=not is_name, overflow="fold"
        )
    wanted = {question.query_id for question in questions}
    for plan in plans:
        name = plan.request.target
        scored = ledger.scored(name, scorer.identity) & wanted
        missing += len(wanted) - len(scored)
        table.add_row(
            name,
            f"{len(wanted):,}",
            f"{len(ledger.asked(name) & wanted):,}",
            f"{len(scored):,}",
            f"{tally.failures[name]:,}",
            f"{ledger.accuracy(name, scored):.4f}" if scored else "–",
        )
    screen.table(table)
    screen.print(f"cost so far {collected.spent_usd:,.4f} USD; the calls are in {ledger.path}")
    for reason, count in tally.reasons.most_common(REASONS_SHOWN):
        screen.print(f"failed {count:,} times: {reason}")
    if collected.exhausted:
        screen.print(
            f"stopped at limits.spend_usd={limits.spend_usd}: another call could exceed it; to go on, raise it and run "
            "the same command"
        )
    if missing:
        screen.print(f"{missing:,} outcomes are missing; the same command asks for them again")
    return 1 if missing else 0


def _usd(amount: float | None) -> str:
    return "no prices" if amount is None else f"{amount:,.4f}"
