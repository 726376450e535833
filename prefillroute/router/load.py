"""Turns a bundle's files into working parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prefillroute.calibration.contract import Calibrator
from prefillroute.errors import UserError
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.predictors.contract import Predictor
from prefillroute.readings.recorded import RecordedReadings
from prefillroute.router.bundle import Bundle, read_bundle
from prefillroute.router.golden import GoldenVectors
from prefillroute.router.manifest import Manifest
from prefillroute.routing.policies.contract import Policy
from prefillroute.spec import restore


@dataclass(frozen=True)
class Parts:
    """What a router is made of, apart from the models that read queries."""

    manifest: Manifest
    predictor: Predictor
    calibrator: Calibrator
    cost: CostModel
    policy: Policy
    golden: GoldenVectors


def load_parts(path: Path) -> Parts:
    """Read the bundle at `path`, assemble it and check its golden vectors.

    Raises:
        UserError: the bundle is missing, damaged or of another version, does not fit together, or computes something
            else here.
    """
    bundle = read_bundle(path)
    try:
        parts = _assemble(bundle)
    except UserError as error:
        raise UserError(f"{path}: {error}; train again") from error
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
        # The checksums match, so the file is as it was written: by hand, or by a different version.
        raise UserError(f"{path}: the parts do not fit together ({error!r:.150}); train again") from error
    try:
        parts.golden.check(parts.predictor, parts.calibrator, path)
    except (KeyError, ValueError, RuntimeError, AssertionError) as error:
        raise UserError(f"{path}: the parts do not fit together ({error!r:.150}); train again") from error
    return parts


def _assemble(bundle: Bundle) -> Parts:
    manifest, arrays, names = bundle.manifest, bundle.arrays, bundle.manifest.target_names
    cost = restore(manifest.cost, arrays, CostModel)
    if not names or cost.targets_ != names:
        raise UserError(
            f"expected the same targets throughout, found {len(names)} targets, and costs for {len(cost.targets_)}"
        )
    if manifest.single is not None and manifest.single not in names:
        raise UserError(f"single: expected one of {', '.join(names)}, found '{manifest.single}'")
    return Parts(
        manifest,
        restore(manifest.predictor, arrays, Predictor),
        restore(manifest.calibration, arrays, Calibrator),
        cost,
        restore(manifest.policy, arrays, Policy),
        golden_vectors(manifest, arrays),
    )


def golden_arrays(golden: GoldenVectors) -> dict[str, np.ndarray]:
    """Golden vectors as arrays of ``weights.safetensors``: one for each model, layer and pooling, and the outputs."""
    return {
        "golden.logits": golden.logits,
        "golden.confidence": golden.confidence,
        **{
            golden_name(number, layer, pooling): array
            for number, cells in enumerate(golden.readings.cells.values())
            for (layer, pooling), array in cells.items()
        },
    }


def golden_vectors(manifest: Manifest, arrays: Mapping[str, np.ndarray]) -> GoldenVectors:
    """Inverse of `golden_arrays`."""
    readings = RecordedReadings(
        len(arrays["golden.logits"]),
        {name: np.asarray(items, dtype=object) for name, items in manifest.columns.items()},
        {
            entry.reading: {cell: arrays[golden_name(number, *cell)] for cell in entry.cells}
            for number, entry in enumerate(manifest.models)
        },
        {entry.reading: entry.identity.num_layers for entry in manifest.models},
    )
    return GoldenVectors(readings, arrays["golden.logits"], arrays["golden.confidence"])


def golden_name(number: int, layer: int, pooling: str) -> str:
    """Name of the array with what a model said of the golden queries."""
    return f"golden.{number}.{layer}.{pooling}"
