"""`prefillroute route`: chooses a target for each query with a trained router bundle."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from prefillroute.errors import UserError
from prefillroute.router.decision import Decision
from prefillroute.router.decisions_file import check_output, write_decisions
from prefillroute.router.parity import check_parity
from prefillroute.router.policies import known_policies, make_policy
from prefillroute.router.queries import Query, check_prompt, read_queries
from prefillroute.router.router import Router
from prefillroute.routing.policies.contract import Policy
from prefillroute.text.printing import say, say_json
from prefillroute.text.screen import Screen


def run(arguments: argparse.Namespace) -> int:
    """Route queries and print the decisions, route a file into a file, or check a run folder.

    Raises:
        UserError: an option has a bad value or needs another option, or the bundle or a query is invalid.
    """
    if arguments.check is not None:
        report = check_parity(arguments.check, num_texts=arguments.check_texts, device=arguments.device)
        if arguments.json:
            say_json(report.to_dict())
        else:
            say(*report.lines())
        return 0 if report.passed else 1
    if arguments.router is None:
        raise UserError("route: expected --router with the folder router/ of a run, found no --router")
    if (not arguments.query) == (arguments.file is None):
        raise UserError(
            "route: expected either a query or --file, found " + ("both" if arguments.file else "neither")
        )
    policy = _policy(arguments)
    if arguments.file is None:
        prompts = [check_prompt(query, "query") for query in arguments.query]
        router = Router.load(arguments.router, device=arguments.device)
        for prompt, decision in zip(
            prompts,
            router.route(
                prompts,
                policy=policy,
                targets=_targets(arguments.targets, router.targets),
                columns={name: _label(arguments, name) * len(prompts) for name in router.columns},
            ),
            strict=True,
        ):
            if arguments.json:
                say_json(decision.to_dict())
            else:
                _show(decision, prompt if len(prompts) > 1 else None)
        return 0
    if arguments.out is None:
        raise UserError(
            "route: --file: expected --out with a .jsonl or .parquet file for the decisions, found no --out"
        )
    check_output(arguments.out)
    queries = read_queries(arguments.file, arguments.encoding)
    router = Router.load(arguments.router, device=arguments.device)
    decisions = router.route(
        [query.prompt for query in queries],
        policy=policy,
        targets=_targets(arguments.targets, router.targets),
        columns={name: [_known(query, name, arguments) for query in queries] for name in router.columns},
    )
    write_decisions(arguments.out, queries, decisions)
    _summary(decisions, arguments.out)
    return 0


def _label(arguments: argparse.Namespace, name: str) -> list[str]:
    """The label that an option gives; empty if it gives none."""
    given = getattr(arguments, name)
    return [] if given is None else [given]


def _known(query: Query, name: str, arguments: argparse.Namespace) -> str:
    """The label of a query in a file; where the file has none, the option gives it."""
    label = query.labels.get(name, getattr(arguments, name))
    if label is None:
        raise UserError(
            f"{arguments.file}: query '{query.query_id}': expected its {name}, which this router reads, found none; "
            f"add a column '{name}', or pass --{name}"
        )
    return str(label)


def _policy(arguments: argparse.Namespace) -> Policy | None:
    """The policy that the options name; None if they name none, so that the bundle's own policy is used."""
    given = {
        name: (policy.parameter.option, value)
        for name, policy in known_policies().items()
        if policy.parameter is not None and (value := getattr(arguments, f"value_{name}")) is not None
    }
    name = arguments.policy or next(iter(given), None)
    if name is None:
        return None
    for other, (option, _) in given.items():
        if other != name:
            raise UserError(
                f"route: policy '{name}': expected one policy and its own option, found {option}, which belongs to "
                f"policy '{other}'"
            )
    return make_policy(name, given[name][1] if name in given else None)


def _targets(given: list[str] | None, known: Sequence[str]) -> list[str] | None:
    """All names that `--targets` gave; each use of the option may hold one name or several separated by commas."""
    if given is None:
        return None
    return [name for text in given for name in _split(text, known)]


def _split(text: str, known: Sequence[str]) -> list[str]:
    """Split at commas, except inside known names: take the longest prefix that is a known name, then split the rest."""
    pieces = text.split(",")
    for size in range(len(pieces), 0, -1):
        name = ",".join(pieces[:size])
        name = name if name in known else name.strip()
        if name in known or size == 1:
            rest = ",".join(pieces[size:])
            return [name, *(_split(rest, known) if size < len(pieces) else [])]
    raise AssertionError("a text has at least one piece")


def _show(decision: Decision, prompt: str | None) -> None:
    """Print the chosen target in one line, then a table of all targets; `prompt`, if given, is printed first."""
    screen = Screen()
    if prompt is not None:
        screen.print(prompt)
    endpoint = f" (endpoint {decision.endpoint}) by {decision.policy}"
    screen.print(screen.styled((decision.target, "bold"), endpoint))
    if decision.truncated:
        screen.print(_cut(1, decision.encoder_tokens))
    table = _table("P(correct)", "cost, USD")
    for target, confidence in sorted(decision.confidence.items(), key=lambda item: -item[1]):
        mark = " *" if target == decision.target else ""
        table.add_row(f"{target}{mark}", f"{confidence:.3f}", f"{decision.cost_usd[target]:.2e}")
    screen.table(table)


def _summary(decisions: list[Decision], out: Path) -> None:
    """Print how many queries went to each target, and how many were truncated."""
    table = _table("queries", "mean P(correct)", "cost, USD")
    for target in decisions[0].confidence:
        sent = [decision for decision in decisions if decision.target == target]
        mean = f"{sum(d.confidence[target] for d in sent) / len(sent):.3f}" if sent else "-"
        table.add_row(target, str(len(sent)), mean, f"{sum(d.cost_usd[target] for d in sent):.2e}")
    screen = Screen()
    screen.table(table)
    cut = [decision for decision in decisions if decision.truncated]
    if cut:
        screen.print(_cut(len(cut), max(decision.encoder_tokens for decision in cut)))
    screen.print(f"{len(decisions)} decisions by {decisions[0].policy} in {out}")


def _table(*figures: str) -> Table:
    """A table of targets, whose long names are wrapped, and their figures."""
    table = Table()
    table.add_column("target", overflow="fold")
    for heading in figures:
        table.add_column(heading, no_wrap=True)
    return table


def _cut(count: int, tokens: int) -> str:
    what = "the query was" if count == 1 else f"{count} queries were"
    return f"{what} longer than the encoder's context: the middle was cut, {tokens} tokens were read"
