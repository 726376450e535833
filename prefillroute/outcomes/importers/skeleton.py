"""The pool fact of an imported table, for a person to complete."""

import math
from collections.abc import Sequence

import yaml

from prefillroute.text.hints import no_interpolation


def pool_skeleton(name: str, targets: Sequence[str], command: str) -> str:
    """Text of a `conf/pool/<name>.yaml` with the table's targets and prices still to be filled in.

    Args:
        name: of the pool, and of its folder under `paths.data`.
        targets: as in the outcome table.
        command: that made the table.
    """
    lines = [
        f"# Copy to conf/pool/{name}.yaml with prices (USD per 10^6 tokens); null takes the log's cost_usd.",
        f"name: {name}",
        f"outcomes: ${{paths.data}}/{name}",
        f"import_hint: {_quoted(command)}",
        "targets:",
        *(
            f"  - {{name: {_quoted(target)}, price_in: null, price_out: null, price_date: null}}"
            for target in targets
        ),
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A YAML string that OmegaConf reads as it is; in single quotes unless it holds what YAML cannot show."""
    return yaml.safe_dump(
        no_interpolation(text), default_style="'", allow_unicode=True, width=math.inf
    ).rstrip("\n")
