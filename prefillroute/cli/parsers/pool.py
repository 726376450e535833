"""`prefillroute pool show POOL`: declares the command."""

import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser("pool", help="look at a pool of targets")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser(
        "show",
        help="targets, accuracy, cost, Pareto front and hull, consensus, best single, oracle, headroom",
    )
    show.add_argument("pool", metavar="POOL", help="an option of conf/pool")
    show.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="for instance pool.max_queries=1000")
    show.set_defaults(work="pool")
