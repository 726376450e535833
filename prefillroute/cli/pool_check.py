"""`prefillroute pool check POOL ...`: prints what may be wrong with pools and their outcomes."""

import argparse
from dataclasses import asdict
from datetime import date

from prefillroute.config.compose import compose_run, fact
from prefillroute.config.facts import PoolConfig
from prefillroute.config.folders import conf_folders
from prefillroute.errors import UserError
from prefillroute.outcomes.checks.contract import ERROR, Evidence, Finding
from prefillroute.outcomes.checks.run import check_pool
from prefillroute.text.hints import hydra_quoted, listed
from prefillroute.text.printing import say, say_json


def run(args: argparse.Namespace) -> int:
    """Check and print.

    Raises:
        UserError: a pool is unknown, no pool is named, or a pool has errors.
    """
    overrides = [word for word in args.words if "=" in word]
    names = [word for word in args.words if "=" not in word]
    if bool(names) == args.all:
        raise UserError(
            f"pool check: expected names of pools or --all, found {'both' if names else 'neither'}; "
            f"pools: {listed(pool_names())}"
        )
    if args.months < 0:
        raise UserError(f"--months: expected 0 or more, found {args.months}")
    wrong: list[str] = []
    printed = []
    for name in names or pool_names():
        pool = fact(
            compose_run([f"pool={hydra_quoted(name)}", *overrides], config_name="pool").pool, PoolConfig
        )
        evidence, found = check_pool(pool, args.months, date.today())
        wrong += [f"{pool.name}: {finding.what}" for finding in found if finding.severity == ERROR]
        if args.json:
            printed.append({"pool": pool.name, "findings": [asdict(finding) for finding in found]})
        else:
            _print(pool, evidence, found)
    if args.json:
        say_json(printed)
    if wrong:
        raise UserError(
            f"pool check: expected no errors, found {len(wrong)}, the first of them in {wrong[0]}"
        )
    return 0


def pool_names() -> list[str]:
    """The options of conf/pool, a user's own included."""
    return sorted({path.stem for folder in conf_folders() for path in (folder / "pool").glob("*.yaml")})


def _print(pool: PoolConfig, evidence: Evidence, found: list[Finding]) -> None:
    size = "" if evidence.outcomes is None else f", {len(evidence.outcomes):,} queries"
    say(f"pool {pool.name}: {len(evidence.targets)} targets{size}, {pool.outcomes}")
    if not found:
        say("  nothing found")
    for finding in found:
        say(f"  {finding.severity:<8} {finding.about}: {finding.what}")
        if finding.remedy:
            say(f"  {'':<8} -> {finding.remedy}")
    say("")
