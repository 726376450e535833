"""`prefillroute pool show POOL` and `prefillroute pool check POOL ...`: declares the commands."""

import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the commands."""
    parser = subparsers.add_parser("pool", help="look at a pool of targets")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser(
        "show",
        help="targets, accuracy, cost, Pareto front and hull, consensus, best single, oracle, headroom",
    )
    show.add_argument("pool", metavar="POOL", help="an option of conf/pool")
    show.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="for instance pool.max_queries=1000")
    show.set_defaults(work="pool")
    check = actions.add_parser(
        "check",
        help="missing or stale prices, doubled queries and targets, rare classes, gaps in the table, and the like",
        description="Look at the YAML of pools and, where there is one, at their outcome table. Exit status 1 if there "
        "are errors: what training refuses, or what makes its numbers wrong.",
    )
    check.add_argument(
        "words", nargs="*", metavar="POOL", help="options of conf/pool, and overrides such as paths.data=DATA"
    )
    check.add_argument("--all", action="store_true", help="all pools")
    check.add_argument(
        "--months",
        type=int,
        default=12,
        metavar="N",
        help="prices older than N months are stale (default: 12)",
    )
    check.add_argument("--json", action="store_true", help="print JSON, one object per pool")
    check.set_defaults(work="pool_check")
