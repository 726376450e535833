"""Section 7 of the paper: the geometry of every layer, whether Fisher J finds the probe's layers, and two findings."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments.comparing.pool import Difference
from experiments.paper.asked import Asked
from experiments.paper.contrasts import Contrasts, with_interval
from experiments.paper.figures.geometry import findings_drawing, profile_drawing
from experiments.paper.parts.geometry_cells import (
    DIM,
    GEOMETRY,
    PERMUTATIONS,
    Agreement,
    Cells,
    agreement,
    over_targets,
    probe_cells,
)
from experiments.paper.parts.geometry_runs import DIMS, Question, Trained, train_pairs
from experiments.paper.section import Section
from experiments.paper.sheet import Cell, Sheet
from experiments.paper.wording import heading
from prefillroute.errors import UserError
from prefillroute.reports.drawing import Drawing
from prefillroute.reports.numbers import MISSING, count, decimal, joined
from prefillroute.text.visible import visible

BOOTSTRAP = (
    "Intervals of correlations and of AUC lost are a bootstrap over targets: they say how much the mean would change "
    "with other targets of the same kind, for these queries and this encoder. Which queries were drawn is not in them, "
    "since each resample would have to probe every layer anew; what that does to the choice, the trained runs show on "
    "test queries. Neighbouring layers are alike, so the cells of one target are no independent sample."
)
CLAIMED = (
    "What the paper says: choosing layers by Fisher J conforms perfectly to the probe, an MLP in place of logistic "
    "regression gains nothing significant, and neither do the layers of all peaks side by side."
)
SELECTED = (
    "AUC lost: the cross-validated AUC of the probe's best layer and pooling minus that of the ones where the score is "
    "greatest. The best ones were picked by this very AUC, which makes it a little too good, so the loss is rather too "
    "large than too small."
)


def run(asked: Asked) -> Section:
    """Geometry and probe AUC of every layer; whether Fisher J finds the best one; MLP probes and joined layers."""
    found = [probe_cells(asked, encoder) for encoder in dict.fromkeys(asked.encoders)]
    agreed = {
        cells.encoder: {name: agreement(cells.score(name), cells.auc) for name in GEOMETRY} for cells in found
    }
    if not found[0].scored.any():
        raise UserError(
            f"pool {asked.pool}: expected at least one target with right and wrong answers among the training queries, "
            "found none"
        )
    trained = [train_pairs(asked, cells) for cells in found]
    folders = {name: folder for each in trained for name, folder in each.folders.items()}
    contrasts = Contrasts(folders, asked.num_resamples)
    pairs = [
        (cells.encoder, question)
        for cells, each in zip(found, trained, strict=True)
        for question in each.questions
    ]
    sheets = (
        _peaks(found),
        _agreements(found, agreed, asked.num_resamples),
        _targets(found, agreed),
        _findings(contrasts, pairs),
    )
    drawings = (profile_drawing(found), _forest(contrasts, pairs, len(found) > 1))
    return Section("Geometry", sheets, drawings, tuple(_notes(asked, found, agreed, trained, contrasts)))


def _peaks(found: Sequence[Cells]) -> Sheet:
    """Where each score is greatest by encoder and pooling; the numbers of all cells are in the file."""
    rows = []
    for cells in found:
        frame = cells.frame
        for pooling, part in frame.groupby("pooling", sort=False):
            texts = [f"{cells.encoder}, {pooling}"]
            for column, lowest in (
                ("d_eff", False),
                ("anisotropy", True),
                ("fisher_j", False),
                ("auc", False),
            ):
                values = part[column].where(part["d_eff"].notna()).to_numpy(dtype=float)
                if np.isnan(values).all():
                    texts.append(MISSING)
                    continue
                peak = part.iloc[int(np.nanargmin(values) if lowest else np.nanargmax(values))]
                extra = f", shuffled {decimal(peak['fisher_j_permuted'])}" if column == "fisher_j" else ""
                texts.append(f"{decimal(peak[column])}{extra} at layer {peak['layer']}")
            rows.append(tuple(map(Cell, texts)))
    return Sheet(
        "layers",
        "Peaks of the geometry",
        ("encoder, pooling", "d_eff, greatest", "anisotropy, least", "Fisher J, greatest", "AUC, greatest"),
        tuple(rows),
        pd.concat([cells.frame for cells in found], ignore_index=True),
        "J and AUC as means over targets. The CSV file has every layer.",
    )


def _agreements(found: Sequence[Cells], agreed: dict[str, dict[str, Agreement]], num_resamples: int) -> Sheet:
    rows, records = [], []
    for cells in found:
        for name, label in GEOMETRY.items():
            each = agreed[cells.encoder][name]
            correlation, ends = over_targets(each.correlation, num_resamples)
            lost, lost_ends = over_targets(each.lost, num_resamples)
            worst = int(np.nanargmax(each.lost)) if not np.isnan(each.lost).all() else None
            most = MISSING if worst is None else f"{decimal(each.lost[worst], 4)} ({cells.targets[worst]})"
            known = int((each.best >= 0).sum())
            rows.append(
                tuple(
                    map(
                        Cell,
                        (
                            f"{cells.encoder}: {label}",
                            _with_ends(correlation, ends, 2),
                            f"{each.same} of {known}",
                            _with_ends(lost, lost_ends, 4),
                            visible(most),
                        ),
                    )
                )
            )
            low, high = ends or (None, None)
            lost_low, lost_high = lost_ends or (None, None)
            records.append(
                {
                    "encoder": cells.encoder, "score": name, "rank_correlation": correlation, "low": low, "high": high,
                    "same_cell": each.same, "targets": known, "auc_lost": lost, "auc_lost_low": lost_low,
                    "auc_lost_high": lost_high, "auc_lost_most": None if worst is None else each.lost[worst],
                }
            )  # fmt: skip
    return Sheet(
        "agreement",
        "Does the geometry find the probe's layers?",
        (
            "score",
            "rank correlation with AUC",
            "same layer and pooling",
            "AUC lost by trusting it",
            "most lost",
        ),
        tuple(rows),
        pd.DataFrame(records),
        "Spearman's rank correlation over layers and poolings, mean over targets.",
    )


def _targets(found: Sequence[Cells], agreed: dict[str, dict[str, Agreement]]) -> Sheet:
    """J against the probe, target by target; the file has the other scores, too."""
    rows, records = [], []
    for cells in found:
        for number, target in enumerate(cells.targets):
            for name in GEOMETRY:
                each = agreed[cells.encoder][name]
                own, best = int(each.own[number]), int(each.best[number])
                known = own >= 0 and best >= 0
                record = {
                    "encoder": cells.encoder, "target": target, "score": name,
                    "rank_correlation": each.correlation[number],
                    "best": cells.name(best) if best >= 0 else None, "own": cells.name(own) if own >= 0 else None,
                    "auc_best": cells.auc[best, number] if known else None,
                    "auc_own": cells.auc[own, number] if known else None, "auc_lost": each.lost[number],
                }  # fmt: skip
                records.append(record)
                if name == "fisher_j":
                    where = [record["best"] or MISSING, record["own"] or MISSING]
                    numbers = [record[key] for key in ("auc_best", "auc_own", "auc_lost")]
                    rows.append(
                        (
                            Cell(f"{cells.encoder}: {target}" if len(found) > 1 else target),
                            *(Cell(str(text)) for text in where),
                            *(Cell(decimal(value, 4)) for value in numbers),
                            Cell(decimal(each.correlation[number], 2)),
                        )
                    )
    return Sheet(
        "targets",
        "Fisher J against the probe, per target",
        ("target", "best by AUC", "greatest J", "AUC, best", "AUC at J's", "lost", "rank correlation"),
        tuple(rows),
        pd.DataFrame(records),
        "Layer and pooling. The CSV file has d_eff and isotropy, too.",
    )


def _findings(contrasts: Contrasts, pairs: Sequence[tuple[str, Question]]) -> Sheet:
    rows, records = [], []
    for encoder, question in pairs:
        cells = [Cell(f"{encoder}: {question.finding}")]
        for metric in contrasts.judged:
            found = contrasts.difference(question.a, question.b, metric)
            cells.append(Cell(with_interval(found, metric)))
            records.append(
                {
                    "encoder": encoder, "finding": question.finding, "a": question.a, "b": question.b,
                    "metric": metric.key, "value_a": contrasts.value(question.a, metric),
                    "value_b": contrasts.value(question.b, metric), "difference": found.value,
                    "low": found.low, "high": found.high, "excludes_0": found.sign != 0,
                }
            )  # fmt: skip
        rows.append(tuple(cells))
    headings = list(map(heading, contrasts.judged))
    return Sheet(
        "findings",
        "Section 7's findings as trained runs",
        ("the first, not the second", *headings),
        tuple(rows),
        pd.DataFrame(records),
        "The first minus the second over the same resamples of the test queries; * marks an interval that excludes 0.",
    )


def _forest(contrasts: Contrasts, pairs: Sequence[tuple[str, Question]], several: bool) -> Drawing:
    rows: list[tuple[str, list[Difference]]] = [
        (
            f"{encoder}: {question.finding}" if several else question.finding,
            [contrasts.difference(question.a, question.b, metric) for metric in contrasts.judged],
        )
        for encoder, question in pairs
    ]
    return findings_drawing(rows, contrasts.judged)


def _notes(
    asked: Asked,
    found: Sequence[Cells],
    agreed: dict[str, dict[str, Agreement]],
    trained: Sequence[Trained],
    contrasts: Contrasts,
) -> list[str]:
    notes = []
    for cells, each in zip(found, trained, strict=True):
        by_fisher = agreed[cells.encoder]["fisher_j"]
        correlation, ends = over_targets(by_fisher.correlation, asked.num_resamples)
        lost, _ = over_targets(by_fisher.lost, asked.num_resamples)
        notes.append(
            f"{cells.encoder}: Fisher J chooses the probe's best layer and pooling on {by_fisher.same} of "
            f"{int((by_fisher.best >= 0).sum())} targets, ranks layers as the probe does with a correlation of "
            f"{_with_ends(correlation, ends, 2)}, and costs {decimal(lost, 4)} AUC where it is trusted."
        )
        for question in each.questions:
            difference = contrasts.difference(question.a, question.b, contrasts.judged[0])
            notes.append(f"{cells.encoder}: {question.finding}: {_words(difference)}.")
        notes += each.notes
    if unscored := [
        target for target, known in zip(found[0].targets, found[0].scored, strict=True) if not known
    ]:
        notes.append(f"Without AUC and J, since the training rows have one class only: {joined(unscored)}.")
    dims = ", ".join(map(str, DIMS))
    return [
        *notes,
        CLAIMED,
        f"Layers were measured on the {count(len(asked.data.groups.rows))} training queries: J, its value on shuffled "
        f"labels (mean of {PERMUTATIONS} shuffles; a run has 20) and the probe's AUC on at most {DIM} PCA components.",
        "The runs by J and by the probe may take up to layers.max_blocks blocks of all layers and have SharedTrunkNet. "
        f"MLP, logistic regression and SharedTrunkNet read one block, the best by mean AUC, with {dims} components, "
        "whichever is best in cross-validation; the MLP is one net of 64 hidden units per target, and logistic "
        "regression has its C chosen per target on the rows on which the nets stop early.",
        BOOTSTRAP,
        SELECTED,
    ]


def _words(difference: Difference) -> str:
    """What a paired difference in mean AUC says."""
    value = f"{decimal(difference.value, 4)} [{decimal(difference.low, 4)}, {decimal(difference.high, 4)}] in mean AUC"
    said = {1: "better", -1: "worse", 0: "no difference is shown"}[difference.sign]
    return f"{said}, {value}"


def _with_ends(value: float, ends: tuple[float, float] | None, digits: int) -> str:
    text = decimal(value, digits)
    return text if ends is None else f"{text} [{decimal(ends[0], digits)}, {decimal(ends[1], digits)}]"
