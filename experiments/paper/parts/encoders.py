"""Tables 2, A.1 and A.2 of the paper: how well each encoder predicts every target; whether a larger one is better."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.paper.asked import Asked
from experiments.paper.contrasts import Contrasts, with_interval
from experiments.paper.figures.encoders import heat_map, size_drawing
from experiments.paper.parts.encoder_claim import claim_notes
from experiments.paper.section import Section
from experiments.paper.sheet import Cell, Sheet, mark_best
from experiments.paper.wording import heading
from prefillroute.config.compose import fact
from prefillroute.config.facts import EncoderConfig
from prefillroute.reports.catalogue import catalogued
from prefillroute.reports.headline import interval, interval_text, number
from prefillroute.reports.numbers import decimal, joined, significant
from prefillroute.routing.statistics.prediction import AUC, MEAN_AUC
from prefillroute.text.hints import hydra_value

WIDE_UP_TO = 9
"""A pool with more targets has them as rows, and the encoders as columns."""
MODES = ("fusion", "auto")


@dataclass(frozen=True)
class Line:
    """One row of the tables: an encoder, or a mode over all of them."""

    name: str
    size: float | None
    """Parameters in 10^9; None for a mode."""


def run(asked: Asked) -> Section:
    """AUC per target of each encoder and of the modes over all of them; whether a larger encoder predicts better."""
    lines, folders = train(asked)
    contrasts = Contrasts(folders, asked.num_resamples)
    encoders = [line for line in lines if line.size is not None]
    targets = tuple(contrasts.metrics[encoders[0].name]["targets"])
    auc = np.array([[_auc(contrasts, line.name, target) for target in targets] for line in lines])
    best = _best(contrasts, encoders)
    sheets = [_matrix(contrasts, lines, targets, auc, best), _summary(contrasts, lines, auc)]
    if len(lines) > 1:
        sheets += [_differences(contrasts, lines, best), _target_differences(contrasts, lines, targets, best)]
    names = [line.name for line in lines]
    drawings = [heat_map(names, targets, auc)]
    if len({line.size for line in encoders}) > 1:
        sizes = {line.name: line.size for line in encoders if line.size is not None}
        drawings.append(size_drawing(contrasts, sizes, [name for name in names if name not in sizes]))
    return Section(
        "Encoders and targets", tuple(sheets), tuple(drawings), tuple(_notes(contrasts, lines, targets, auc))
    )


def train(asked: Asked) -> tuple[list[Line], dict[str, Path]]:
    """The runs: one for each encoder and, of several encoders, one for each mode over all of them."""
    lines, folders, names = [], {}, []
    for encoder in dict.fromkeys(asked.encoders):
        facts = fact(asked.config(f"encoder={encoder}").encoder, EncoderConfig)
        names.append(facts.name)
        lines.append(Line(encoder, facts.params_b))
        folders[encoder] = asked.prefill(encoder)
    if len(lines) > 1:
        name = "+".join(folders)
        both = f"mode.encoders=[{','.join(map(hydra_value, names))}]"
        for mode in MODES:
            label = f"{mode} of all"
            lines.append(Line(label, None))
            folders[label] = asked.run(
                f"{mode}-{name}", "signal=prefill", "head=shared_trunk", f"mode={mode}", both
            )
    return lines, folders


def _auc(contrasts: Contrasts, name: str, target: str) -> float:
    value = number(contrasts.metrics[name]["targets"][target], AUC.key)
    return float("nan") if value is None else value


def _mean_auc(contrasts: Contrasts, name: str) -> float | None:
    return number(contrasts.metrics[name]["test"], MEAN_AUC.key)


def _best(contrasts: Contrasts, encoders: Sequence[Line]) -> str:
    """The encoder with the greatest mean AUC on test, the first of equals."""
    return max(encoders, key=lambda line: _mean_auc(contrasts, line.name) or 0.0).name


def _matrix(
    contrasts: Contrasts, lines: Sequence[Line], targets: Sequence[str], auc: np.ndarray, best: str
) -> Sheet:
    """AUC by line and target, the best line of each target marked; wide or long as suits the number of targets."""
    means = [_mean_auc(contrasts, line.name) for line in lines]
    columns = [mark_best([decimal(value, 4) for value in means], means)]
    columns += [mark_best([decimal(value, 4) for value in column], column.tolist()) for column in auc.T]
    headings, names = ("mean", *targets), [line.name for line in lines]
    rows: tuple[tuple[Cell, ...], ...]
    if len(targets) <= WIDE_UP_TO:
        head = ("encoder", *headings)
        rows = tuple((Cell(name), *(column[index] for column in columns)) for index, name in enumerate(names))
    else:
        head = ("target", *names)
        rows = tuple((Cell(heading), *column) for heading, column in zip(headings, columns, strict=True))
    records = []
    for line, values in zip(lines, auc, strict=True):
        for target, value in zip(targets, values, strict=True):
            low, high = interval(contrasts.metrics[line.name], f"targets.{target}.{AUC.key}") or (None, None)
            record = {"encoder": line.name, "target": target, "auc": value, "low": low, "high": high}
            if line.name != best:
                found = contrasts.of_target(line.name, best, target)
                record |= {"minus": best, "difference": found.value}
                record |= {"difference_low": found.low, "difference_high": found.high}
            records.append(record)
    caption = "ROC-AUC on the test rows. The best of each target stands out."
    return Sheet("table2", "Table 2: AUC per target", head, rows, pd.DataFrame(records), caption)


def _summary(contrasts: Contrasts, lines: Sequence[Line], auc: np.ndarray) -> Sheet:
    """Each line's global metrics with intervals, and on how many targets an encoder is the best one."""
    first = first_counts(auc[[line.size is not None for line in lines]])
    counts = iter(first.tolist())
    cells, records = [], []
    for line in lines:
        metrics = contrasts.metrics[line.name]
        won = None if line.size is None else next(counts)
        texts = [
            f"{metric.form(contrasts.value(line.name, metric))} {interval_text(metrics, metric)}"
            for metric in contrasts.judged
        ]
        size = "–" if line.size is None else significant(line.size)
        cells.append((line.name, size, *texts, "–" if won is None else str(won)))
        record = {"encoder": line.name, "params_b": line.size, "best_on": won}
        for metric in contrasts.judged:
            low, high = interval(metrics, metric.key) or (None, None)
            record |= {metric.key: contrasts.value(line.name, metric)}
            record |= {f"{metric.key}_low": low, f"{metric.key}_high": high}
        records.append(record)
    columns = [tuple(map(Cell, column)) for column in zip(*cells, strict=True)]
    for place, metric in enumerate(contrasts.judged, start=2):
        values = [contrasts.value(line.name, metric) for line in lines]
        columns[place] = mark_best([cell.text for cell in columns[place]], values, metric.better == "higher")
    headings = list(map(heading, contrasts.judged))
    return Sheet(
        "encoders",
        "Encoders, over all targets",
        ("encoder", "10⁹ parameters", *headings, "best on"),
        tuple(zip(*columns, strict=True)),
        pd.DataFrame(records),
        f"Intervals of 95 % over test queries. Best on: of {int(first.sum())} targets with an AUC, those on which no "
        "other single encoder has a greater one; of equals the first counts.",
    )


def first_counts(auc: np.ndarray) -> np.ndarray:
    """On how many targets each row (E,) of `auc` (E, T) is the best one; a target that is all NaN counts for none."""
    scored = ~np.isnan(auc).all(axis=0)
    return np.bincount(np.nanargmax(auc[:, scored], axis=0), minlength=len(auc))


def _differences(contrasts: Contrasts, lines: Sequence[Line], best: str) -> Sheet:
    """Every other line minus the best encoder."""
    rows, records = [], []
    for line in lines:
        if line.name == best:
            continue
        cells = [Cell(line.name)]
        for metric in contrasts.judged:
            found = contrasts.difference(line.name, best, metric)
            cells.append(Cell(with_interval(found, metric)))
            records.append(
                {
                    "encoder": line.name,
                    "minus": best,
                    "metric": metric.key,
                    "difference": found.value,
                    "low": found.low,
                    "high": found.high,
                    "excludes_0": found.sign != 0,
                }
            )
        rows.append(tuple(cells))
    headings = list(map(heading, contrasts.judged))
    return Sheet(
        "differences",
        f"Paired differences from {best}",
        ("encoder", *headings),
        tuple(rows),
        pd.DataFrame(records),
        f"Minus {best}, the encoder with the greatest mean AUC on test, over the same resamples of the test queries. "
        "* marks an interval that excludes 0.",
    )


def _target_differences(
    contrasts: Contrasts, lines: Sequence[Line], targets: Sequence[str], best: str
) -> Sheet:
    """The same for each target's AUC; the numbers are in the file of table 2."""
    others = [line.name for line in lines if line.name != best]
    metric = catalogued(AUC)
    rows = tuple(
        (
            Cell(target),
            *(Cell(with_interval(contrasts.of_target(name, best, target), metric)) for name in others),
        )
        for target in targets
    )
    signs = {name: [contrasts.of_target(name, best, target).sign for target in targets] for name in others}
    frame = pd.DataFrame(
        [
            {"encoder": name, "minus": best, "better_on": found.count(1), "worse_on": found.count(-1)}
            for name, found in signs.items()
        ]
    )
    said = "; ".join(
        f"{name}: better on {found.count(1)}, worse on {found.count(-1)}" for name, found in signs.items()
    )
    return Sheet(
        "target_differences",
        f"Paired differences in AUC from {best}, per target",
        ("target", *others),
        rows,
        frame,
        f"Of {len(targets)} targets, with an interval that excludes 0: {said}.",
    )


def _notes(contrasts: Contrasts, lines: Sequence[Line], targets: Sequence[str], auc: np.ndarray) -> list[str]:
    notes = []
    if unscored := [target for target, column in zip(targets, auc.T, strict=True) if np.isnan(column).all()]:
        notes.append(f"No AUC, since the test rows have one class only: {joined(unscored)}.")
    sizes = {line.name: line.size for line in lines if line.size is not None}
    return [*notes, *claim_notes(contrasts, sizes)]
