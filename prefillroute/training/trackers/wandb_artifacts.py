"""Artifacts of a run for W&B: what it was made from, by path and digest, and what it made."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import wandb

from prefillroute.training.shared import stamp
from prefillroute.training.trackers.contract import RunSources

OUTCOME_FILES = ("queries.parquet", "outcomes.parquet")


def source_artifacts(sources: RunSources) -> Iterator[wandb.Artifact]:
    """The outcomes and the caches that a run read. No file of theirs is uploaded.

    Outcome files have their digest. A cache may be of many gigabytes, so it has what made it, its size and the time of
    its last change instead, in a file ``cache.json``; that, too, makes a new version of a changed cache.
    """
    outcomes = wandb.Artifact(f"outcomes-{_name(sources.pool)}", type="outcomes")
    for name in OUTCOME_FILES:
        outcomes.add_reference(_uri(sources.outcomes / name), name=name)
    yield outcomes
    for path, identity in sources.caches.items():
        made_by = asdict(identity)
        about = {"made_by": made_by, "outcomes": {"name": outcomes.name, "digest": outcomes.digest}}
        cache = wandb.Artifact(f"cache-{_name(path.stem)}", type="activation-cache", metadata=about)
        _describe(cache, "cache.json", {**about, "file": path.name, "stamp": stamp(path)})
        cache.add_reference(_uri(path), name=path.name, checksum=False)
        yield cache


def made_artifacts(folder: Path, run_id: str, upload_bundle: bool) -> Iterator[wandb.Artifact]:
    """The report and the router bundle of a run, if it wrote them.

    Args:
        folder: run folder.
        run_id: the run's id, part of the artifacts' names.
        upload_bundle: whether the bundle's files are uploaded, or only their paths and digests.
    """
    report = folder / "report.html"
    if report.exists():
        artifact = wandb.Artifact(f"report-{run_id}", type="report")
        artifact.add_file(str(report))
        yield artifact
    bundle = folder / "router"
    if (bundle / "router.json").exists():
        artifact = wandb.Artifact(f"router-{run_id}", type="router-bundle")
        if upload_bundle:
            artifact.add_dir(str(bundle))
        else:
            artifact.add_reference(_uri(bundle))
        yield artifact


def _describe(artifact: wandb.Artifact, name: str, content: Mapping[str, Any]) -> None:
    with artifact.new_file(name, encoding="utf-8") as file:
        json.dump(content, file, indent=1, sort_keys=True)


def _uri(path: Path) -> str:
    return f"file://{path.resolve()}"


def _name(text: str) -> str:
    """W&B takes letters, digits, dashes, underscores and dots in an artifact's name."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in text)
