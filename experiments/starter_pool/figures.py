"""What the starter pool is: accuracy per target and task, and how far the targets agree."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from prefillroute.outcomes.agreement import CLASSES, agreement_classes
from prefillroute.outcomes.table import Outcomes
from prefillroute.reports.glyphs import drawn_names
from prefillroute.reports.style import SHARE_COLOURS, styled


def accuracy_by_task(outcomes: Outcomes) -> pd.DataFrame:
    """Mean `correct`: a row per task, most accurate task first, a column per target."""
    frame = pd.DataFrame(outcomes.correct, columns=list(outcomes.targets))
    table = frame.groupby(outcomes.queries["category"].to_numpy()).mean()
    return table.loc[table.mean(axis=1).sort_values(ascending=False).index]


def agreement_by_task(outcomes: Outcomes) -> pd.DataFrame:
    """Share of the questions in each agreement class: a row per task."""
    classes = pd.Series(agreement_classes(outcomes.labels))
    shares = pd.crosstab(outcomes.queries["category"], classes, normalize="index")
    return shares.reindex(columns=list(CLASSES), fill_value=0.0)


def draw(outcomes: Outcomes, folder: Path) -> None:
    """Write accuracy.png and agreement.png."""
    folder.mkdir(parents=True, exist_ok=True)
    accuracy = accuracy_by_task(outcomes)
    values = accuracy.to_numpy()
    with styled():
        figure, axes = plt.subplots(figsize=(7.5, 0.36 * len(accuracy) + 1.8), layout="constrained")
        image = axes.imshow(values, cmap="cividis", vmin=0, vmax=1, aspect="auto")
        axes.grid(False)
        axes.set_xticks(
            range(accuracy.shape[1]), drawn_names(list(accuracy.columns)).names, rotation=20, ha="right"
        )
        axes.set_yticks(range(len(accuracy)), drawn_names(list(accuracy.index)).names)
        for row, column in np.ndindex(accuracy.shape):
            share = values[row, column]
            colour = "#ffffff" if share < 0.55 else "#000000"
            axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=colour, fontsize=9)
        axes.set_title("Accuracy per target and task")
        figure.colorbar(image, ax=axes, shrink=0.8)
        figure.savefig(folder / "accuracy.png", dpi=130)
        plt.close(figure)

        shares = agreement_by_task(outcomes).loc[accuracy.index[::-1]]
        figure, axes = plt.subplots(figsize=(7.5, 0.32 * len(shares) + 1.6), layout="constrained")
        left = np.zeros(len(shares))
        for name, colour in zip(CLASSES, SHARE_COLOURS, strict=False):
            axes.barh(
                drawn_names(list(shares.index)).names,
                shares[name],
                left=left,
                color=colour,
                label=name.replace("_", " "),
            )
            left += shares[name].to_numpy()
        axes.set_xlim(0, 1)
        axes.set_xlabel("share of questions")
        axes.set_title("Agreement of the targets", pad=28)
        axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1.0))
        figure.savefig(folder / "agreement.png", dpi=130)
        plt.close(figure)


def summary_lines(outcomes: Outcomes) -> list[str]:
    """The same figures as Markdown, for the README beside the script."""
    accuracy, shares = accuracy_by_task(outcomes), agreement_by_task(outcomes)
    classes = agreement_classes(outcomes.labels)
    lines = [
        f"{len(outcomes):,} questions; "
        + ", ".join(f"{name.replace('_', ' ')} {np.mean(classes == name):.1%}" for name in CLASSES),
        "",
        "| target | accuracy | prompt tokens | completion tokens | latency s | first token s |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for column, target in enumerate(outcomes.targets):
        means = [
            np.nanmean(getattr(outcomes, name)[:, column])
            for name in ("correct", "prompt_tokens", "completion_tokens", "latency_s", "ttft_s")
        ]
        lines.append(
            f"| {target} | {means[0]:.3f} | {means[1]:.0f} | {means[2]:.1f} | {means[3]:.2f} | {means[4]:.2f} |"
        )
    lines += [
        "",
        "| task | " + " | ".join(accuracy.columns) + " | disagreement |",
        "| --- " * (2 + accuracy.shape[1]) + "|",
    ]
    disagreement = shares.loc[accuracy.index, "disagreement"]
    for task, row, share in zip(accuracy.index, accuracy.to_numpy(), disagreement, strict=True):
        lines.append(f"| {task} | {' | '.join(f'{value:.2f}' for value in row)} | {share:.2f} |")
    return lines
