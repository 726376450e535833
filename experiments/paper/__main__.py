"""Answers the paper's questions about any pool: tables as Markdown, LaTeX and CSV, figures, and a page for each part.

  python -m experiments.paper pool --pools mmlu_pro starter          one part, two pools
  python -m experiments.paper --pools mmlu_pro --encoders smollm2_135m gemma3_270m      every part

Runs that are missing are trained, finished ones are kept, so the same command goes on after a stop. Results are in
OUT/<pool>/<part>/, and OUT/index.html leads to them.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from experiments.paper.asked import NUM_TEXTS, Asked
from experiments.paper.lineup import SEMANTIC
from experiments.paper.parts import (
    ceiling,
    curves,
    encoders,
    geometry,
    learning,
    left_out,
    pool,
    robustness,
    routers,
    targets,
    transfer,
)
from experiments.paper.section import Section, link_pages
from prefillroute.config.guard import guarded, one_line
from prefillroute.errors import UserError
from prefillroute.reports.style import styled
from prefillroute.routing.evaluation import NUM_RESAMPLES
from prefillroute.text.printing import say

PARTS: Mapping[str, Callable[[Asked], Section]] = {
    "pool": pool.run,
    "encoders": encoders.run,
    "geometry": geometry.run,
    "targets": targets.run,
    "routers": routers.run,
    "curves": curves.run,
    "left_out": left_out.run,
    "learning": learning.run,
    "transfer": transfer.run,
    "ceiling": ceiling.run,
    "robustness": robustness.run,
}
"""What can be asked, in the order in which it is answered: name and what answers it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer what is asked; 1 where a part failed."""
    asked = _parser().parse_args(arguments)
    parts = asked.parts or list(PARTS)
    if unknown := [name for name in parts if name not in PARTS]:
        raise UserError(f"part: expected some of {', '.join(PARTS)}, found {', '.join(unknown)}")
    failed, written = [], []
    for name in asked.pools:
        others = tuple(other for other in asked.pools if other != name)
        overrides = (f"split={asked.split}", *asked.overrides)
        study = Asked(
            name,
            tuple(asked.encoders),
            asked.out,
            overrides,
            num_resamples=asked.resamples,
            others=others,
            semantic=None if asked.semantic is None else tuple(asked.semantic),
            embedders=tuple(asked.embedders),
            grid=asked.grid,
            num_texts=asked.texts,
            paraphrases=asked.paraphrases,
        )
        for part in parts:
            say(f"== {name}: {part}")
            try:
                with styled():
                    section = PARTS[part](study)
                section.print()
                say(str(section.write(study.folder / part, name)))
                written.append((name, part))
            except UserError as error:
                failed.append(f"{name}: {part}: {one_line(error)}")
                say(f"failed: {failed[-1]}", stderr=True)
    say(str(link_pages(asked.out, written)))
    for line in failed:
        say(f"failed: {line}")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.paper",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    said = "; ".join(
        f"{name}: {(part.__doc__ or '').strip().splitlines()[0]}" for name, part in PARTS.items()
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"default: all. {said}")
    parser.add_argument("--pools", nargs="+", default=["starter"], metavar="POOL", help="default: starter")
    parser.add_argument(
        "--encoders",
        nargs="+",
        default=["smollm2_135m"],
        metavar="ENCODER",
        help="whose caches are there, from the weakest to the strongest (default: smollm2_135m)",
    )
    parser.add_argument(
        "--semantic",
        nargs="+",
        metavar="NAME[:CALIBRATION]",
        help=f"options of conf/experiment/semantic to compare with (default: {' '.join(SEMANTIC)})",
    )
    parser.add_argument(
        "--embedders",
        nargs="+",
        default=["minilm"],
        metavar="EMBEDDER",
        help="whose caches are there, for semantic routers that read one (default: minilm)",
    )
    parser.add_argument(
        "--grid",
        type=Path,
        metavar="SWEEP",
        help="folder of a finished experiment=semantic/grid on the pool: the best and the worst routers are its own",
    )
    parser.add_argument("--out", type=Path, default=Path("runs/paper"), help="default: %(default)s")
    parser.add_argument(
        "--split", default="calibrated", help="option of the group, for every run (default: %(default)s)"
    )
    parser.add_argument(
        "--resamples", type=int, default=NUM_RESAMPLES, help="of paired differences (default: %(default)s)"
    )
    parser.add_argument(
        "--texts", type=int, default=NUM_TEXTS, help="test queries that are reworded (default: %(default)s)"
    )
    parser.add_argument(
        "--paraphrases",
        type=Path,
        metavar="FILE",
        help="table with query_id and prompt: rewordings of test queries that you bring",
    )
    parser.add_argument(
        "--overrides", nargs="*", default=[], metavar="KEY=VALUE", help="further overrides of every run"
    )
    return parser


if __name__ == "__main__":
    sys.exit(guarded(main))
