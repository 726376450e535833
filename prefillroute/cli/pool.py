"""`prefillroute pool show POOL`: what a pool is and what a perfect router could gain on it."""

import argparse
import math

from rich.box import SIMPLE_HEAD
from rich.table import Table

from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import PoolConfig
from prefillroute.outcomes.pool import load_pool
from prefillroute.outcomes.summary import PoolSummary, summarise
from prefillroute.text.hints import listed
from prefillroute.text.screen import Screen


def run(args: argparse.Namespace) -> int:
    """Compose the pool, read its outcomes and print its summary."""
    pool = fact(compose_run([f"pool={args.pool}", *args.overrides], config_name="pool").pool, PoolConfig)
    targets, outcomes = load_pool(
        pool.targets,
        pool.outcomes,
        pool.exclude,
        pool.correct_threshold,
        pool.max_queries,
        pool.import_hint,
    )
    print_summary(summarise(outcomes, targets), pool, Screen())
    return 0


def print_summary(summary: PoolSummary, pool: PoolConfig, screen: Screen) -> None:
    """Print a table of targets, most accurate first, and the pool's figures below it."""
    sources = sorted({target.price_date for target in summary.targets if target.price_date})
    table = Table(title=f"pool {pool.name}: {pool.outcomes}", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("target", overflow="fold")
    for heading in ("queries", "accuracy", "USD/1k queries", "USD in", "USD out", "prices"):
        table.add_column(heading, justify="right", no_wrap=True)
    for target in sorted(summary.targets, key=lambda target: -target.accuracy):
        table.add_row(
            target.name,
            f"{target.queries:,}",
            f"{target.accuracy:.4f}",
            _number(target.cost_usd * 1000, ".4f"),
            _number(target.price_in, "g"),
            _number(target.price_out, "g"),
            f"({sources.index(target.price_date) + 1})" if target.price_date else "–",
        )
    screen.print(table)
    for line in [*_price_lines(sources), "", *_figures(summary), *_excluded(pool)]:
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


def _excluded(pool: PoolConfig) -> list[str]:
    return [f"excluded     {listed(pool.exclude)}"] if pool.exclude else []


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else format(value, form)


def _usd(value: float) -> str:
    return "cost unknown" if math.isnan(value) else f"{value * 1000:.4f} USD per 1,000 queries"
