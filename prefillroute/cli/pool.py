"""`prefillroute pool show POOL`: prints a pool's targets and what a perfect router could gain on them."""

import argparse
import math

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import PoolConfig
from prefillroute.outcomes.estimates import estimated_tokens
from prefillroute.outcomes.pool import load_pool
from prefillroute.outcomes.summary import PoolSummary, summarise
from prefillroute.routing.pool_front import PoolFront, pool_front
from prefillroute.text.hints import hydra_quoted, listed
from prefillroute.text.screen import Screen


def run(args: argparse.Namespace) -> int:
    """Compose the pool, read its outcomes and print its summary."""
    pool = fact(
        compose_run([f"pool={hydra_quoted(args.pool)}", *args.overrides], config_name="pool").pool, PoolConfig
    )
    targets, outcomes = load_pool(
        pool.targets,
        pool.outcomes,
        pool.exclude,
        pool.correct_threshold,
        pool.max_queries,
        pool.import_hint,
    )
    tokens = estimated_tokens(pool.outcomes, outcomes, estimated=pool.estimated_tokens is not None)
    print_summary(summarise(outcomes, targets), pool, tokens, Screen())
    return 0


def print_summary(summary: PoolSummary, pool: PoolConfig, tokens: tuple[int, int], screen: Screen) -> None:
    """Print a table of targets, most accurate first, and the pool's figures below it."""
    sources = sorted({target.price_date for target in summary.targets if target.price_date})
    table = Table(title=f"pool {pool.name}: {pool.outcomes}", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("target", overflow="fold")
    for heading in ("queries", "accuracy", "USD/1k queries", "USD in", "USD out", "prices"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("stands", no_wrap=True)
    front = _front(summary)
    stands = dict(zip(summary.targets, _standing(front), strict=True))
    for target in sorted(summary.targets, key=lambda target: -target.accuracy):
        table.add_row(
            target.name,
            f"{target.queries:,}",
            f"{target.accuracy:.4f}",
            _number(target.cost_usd * 1000, ".4f"),
            _number(target.price_in, "g"),
            _number(target.price_out, "g"),
            f"({sources.index(target.price_date) + 1})" if target.price_date else "–",
            stands[target],
        )
    screen.table(table)
    lines = [*_figures(summary), *_front_lines(summary, front), *_token_lines(tokens, pool), *_excluded(pool)]
    for line in [*_price_lines(sources), "", *lines]:
        screen.print(line)


def _price_lines(sources: list[str]) -> list[str]:
    lines = [f"({number}) {source}" for number, source in enumerate(sources, start=1)]
    return ["prices in USD per 10^6 tokens, from", *lines] if lines else []


def _figures(summary: PoolSummary) -> list[str]:
    shares = ", ".join(
        f"{name.replace('_', ' ')} {count:,} ({count / max(summary.complete, 1):.1%})"
        for name, count in summary.classes.items()
    )
    return [
        f"queries      {summary.queries:,}, {summary.complete:,} with all outcomes",
        f"consensus    {shares}",
        f"best single  {summary.best_accuracy:.4f}  {summary.best}, {_usd(summary.best_cost_usd)}",
        f"oracle       {summary.oracle_accuracy:.4f}  {_usd(summary.oracle_cost_usd)}",
        f"headroom     {summary.headroom:.4f}  what a perfect router adds to the best single target",
    ]


def _front(summary: PoolSummary) -> PoolFront:
    cost = np.array([target.complete_cost_usd for target in summary.targets])
    return pool_front(cost, np.array([target.complete_accuracy for target in summary.targets]))


def _standing(front: PoolFront) -> list[str]:
    """One word per target; a corner of the hull is also on the Pareto front."""
    words = np.select([~front.placed, front.corner, front.pareto], ["unknown", "hull", "Pareto"], "dominated")
    return [str(word) for word in words]


def _front_lines(summary: PoolSummary, front: PoolFront) -> list[str]:
    if not front.placed.any():
        return [
            "Pareto front unknown: no target has both a cost and an accuracy on queries with all outcomes"
        ]
    placed, dominated = int(front.placed.sum()), int(front.dominated.sum())
    lines = [
        f"Pareto front {placed - dominated} of {placed} targets; {dominated} are dominated: another one costs no more, "
        "is no less accurate, and is better in one of the two",
        f"static hull  {int(front.corner.sum())} corners; a router must beat random mixtures of these:",
    ]
    corners = [target for target, corner in zip(summary.targets, front.corner, strict=True) if corner]
    lines += [
        f"             {target.complete_accuracy:.4f}  {target.name}, {_usd(target.complete_cost_usd)}"
        for target in sorted(corners, key=lambda target: target.complete_cost_usd)
    ]
    if placed < len(summary.targets):
        names = [
            target.name for target, known in zip(summary.targets, front.placed, strict=True) if not known
        ]
        lines.append(f"             cost unknown, so in neither: {listed(names)}")
    return lines


def _token_lines(tokens: tuple[int, int], pool: PoolConfig) -> list[str]:
    """How far the token counts can be trusted, if any are estimates."""
    estimated, counted = tokens
    if not estimated:
        return []
    how = pool.estimated_tokens or "no endpoint reported them"
    return [
        f"tokens       {estimated / counted:.1%} of the counts are estimated ({estimated:,} of {counted:,} outcomes): "
        f"{how}",
        "             costs computed from them are therefore lower bounds, above all for targets that reason before "
        "they answer",
    ]


def _excluded(pool: PoolConfig) -> list[str]:
    return [f"excluded     {listed(pool.exclude)}"] if pool.exclude else []


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else format(value, form)


def _usd(value: float) -> str:
    return "cost unknown" if math.isnan(value) else f"{value * 1000:.4f} USD per 1,000 queries"
