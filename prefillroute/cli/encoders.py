"""`prefillroute encoders`: prints what each encoder of conf/encoder needs."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict

from hydra.core.override_parser.overrides_parser import OverridesParser
from rich.box import SIMPLE_HEAD
from rich.table import Table

from prefillroute.config.compose import read_fact
from prefillroute.config.facts import EncoderConfig
from prefillroute.config.folders import conf_folders
from prefillroute.errors import UserError
from prefillroute.extraction.resources import (
    GPUS,
    LOADING_GB_PER_S,
    TOKENS_PER_BATCH,
    Needs,
    gpus_needed,
    needs,
    weight_bytes,
)
from prefillroute.reports.numbers import MISSING, significant
from prefillroute.text.printing import say, say_json
from prefillroute.text.screen import Screen

COLUMNS = (
    "encoder",
    "parameters (active), 10⁹",
    "weights",
    "GB",
    "GPUs",
    "GiB on each",
    "cache, GB",
    "loading, min",
    "passes, min",
)


def run(args: argparse.Namespace) -> int:
    """Calculate and print.

    Raises:
        UserError: an encoder or a kind of GPU is unknown, or a number is out of range.
    """
    if args.gpu not in GPUS:
        raise UserError(f"--gpu: expected one of {', '.join(GPUS)}, found {args.gpu}")
    for key in ("queries", "tokens"):
        if getattr(args, key) < 1:
            raise UserError(f"--{key}: expected 1 or more, found {getattr(args, key)}")
    if not 0 < args.utilisation <= 1:
        raise UserError(f"--utilisation: expected more than 0 and at most 1, found {args.utilisation}")
    found = [
        needs(facts, GPUS[args.gpu], args.queries, args.tokens, args.utilisation)
        for facts in read_encoders(args.names)
    ]
    if args.json:
        say_json([asdict(each) for each in found])
    elif args.markdown:
        say(*markdown(found))
    else:
        screen = Screen()
        table = Table(box=SIMPLE_HEAD)
        for column in COLUMNS:
            table.add_column(
                column, justify="left" if column in ("encoder", "weights") else "right", no_wrap=True
            )
        for each in found:
            table.add_row(*map(screen.lines, cells(each)))
        screen.table(table)
        say(*notes(args))
    return 0


def say_gpus(overrides: Sequence[str], gpu: str = "h100") -> None:
    """Print how many GPUs the encoders of a sweep need, a line each.

    Args:
        overrides: of the sweep, with Hydra's options.
        gpu: kind of GPU, a key of `GPUS`.
    """
    for override in OverridesParser.create().parse_overrides([word for word in overrides if word[0] != "-"]):
        if override.key_or_group == "encoder":
            several = override.is_sweep_override()
            names = override.sweep_string_iterator() if several else [override.get_value_element_as_str()]
            for facts in read_encoders(list(names)):
                gpus = gpus_needed(facts, GPUS[gpu].gib)
                say(
                    f"{facts.name}: {weight_bytes(facts) / 1e9:.3g} GB of weights, {gpus or MISSING} "
                    f"GPU{'s' * (gpus != 1)} of {GPUS[gpu].gib:g} GiB for each job "
                    "(calculated; `prefillroute encoders` has other kinds)"
                )


def read_encoders(names: Sequence[str]) -> list[EncoderConfig]:
    """The facts of these encoders; of all that there are, smallest first, without names.

    Raises:
        UserError: there is no such encoder, or its facts are not valid.
    """
    found = [read_fact("encoder", name, EncoderConfig) for name in names or encoder_names()]
    return found if names else sorted(found, key=lambda facts: (facts.params_b, facts.name))


def encoder_names() -> list[str]:
    """The options of conf/encoder, a user's own included."""
    return sorted({path.stem for folder in conf_folders() for path in (folder / "encoder").glob("*.yaml")})


def cells(found: Needs) -> list[str]:
    """A row of the table as text."""
    active = "" if found.active_b == found.params_b else f" ({significant(found.active_b, 2)})"
    gpus = MISSING if found.gpus is None else str(found.gpus)
    if found.weights != "bf16" and found.gpus_dequantised != found.gpus:
        gpus += f" (bf16: {found.gpus_dequantised or MISSING})"
    return [
        found.encoder,
        f"{significant(found.params_b)}{active}",
        found.weights,
        significant(found.weight_gb),
        gpus,
        significant(found.gib_per_gpu, 2),
        significant(found.cache_gb, 2),
        significant(found.loading_minutes, 2),
        significant(found.pass_minutes, 2),
    ]


def markdown(found: Sequence[Needs]) -> list[str]:
    """The table in Markdown."""
    rows = [COLUMNS, ["---", "---", "---", *["---:"] * (len(COLUMNS) - 3)], *map(cells, found)]
    return [f"| {' | '.join(row)} |" for row in rows]


def notes(args: argparse.Namespace) -> list[str]:
    """What the figures hold for."""
    gpu = GPUS[args.gpu]
    return [
        f"calculated, not measured: {args.queries:,} queries of {args.tokens:,} tokens; default layers and "
        "poolings, in float32",
        f"GPUs: {args.gpu} of {gpu.gib:g} GiB, batches of {TOKENS_PER_BATCH:,} tokens; (bf16: ...) if kernels for the "
        "format of the weights are missing",
        f"loading: at {LOADING_GB_PER_S:g} GB/s, in every job",
        f"passes: at {args.utilisation:.0%} of {gpu.tflops:g} TFLOP/s; the GPUs of a job take turns "
        "(extraction.device=balanced)",
    ]
