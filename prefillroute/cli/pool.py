"""`prefillroute pool show POOL`: what a pool is and what a perfect router could gain on it."""

import argparse
import math

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import PoolConfig
from prefillroute.config.overrides import quoted
from prefillroute.outcomes.pool import load_pool
from prefillroute.outcomes.summary import PoolSummary, summarise


def run(args: argparse.Namespace) -> int:
    """Compose the pool, read its outcomes and print its summary."""
    pool = fact(
        compose_run([f"pool={quoted(args.pool)}", *args.overrides], config_name="pool").pool, PoolConfig
    )
    targets, outcomes = load_pool(
        pool.targets,
        pool.outcomes,
        pool.exclude,
        pool.correct_threshold,
        pool.max_queries,
        pool.import_hint,
    )
    print_summary(summarise(outcomes, targets), pool, _console())
    return 0


def print_summary(summary: PoolSummary, pool: PoolConfig, console: Console) -> None:
    """Print a table of targets, most accurate first, and the pool's figures below it."""
    sources = sorted({target.price_date for target in summary.targets if target.price_date})
    table = Table(title=f"pool {pool.name}: {pool.outcomes}", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("target", no_wrap=True)
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
    console.print(table)
    for line in [*_price_lines(sources), "", *_figures(summary), *_excluded(pool)]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


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
    return [f"excluded     {', '.join(pool.exclude)}"] if pool.exclude else []


def _console() -> Console:
    """As wide as the terminal, or wide enough for the table where there is none."""
    console = Console()
    return console if console.is_terminal else Console(width=120)


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else format(value, form)


def _usd(value: float) -> str:
    return "cost unknown" if math.isnan(value) else f"{value * 1000:.4f} USD per 1,000 queries"
