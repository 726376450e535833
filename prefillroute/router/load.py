"""Turns a bundle's files into working parts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prefillroute.calibration.contract import Calibrator
from prefillroute.errors import UserError
from prefillroute.heads.restore import restore_head
from prefillroute.layers.features import BlockTransform
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.router.bundle import Bundle, read_bundle
from prefillroute.router.golden import GoldenVectors
from prefillroute.router.manifest import Manifest
from prefillroute.router.predictor import Predictor
from prefillroute.routing.policies.contract import Policy
from prefillroute.spec import restore


@dataclass(frozen=True)
class Parts:
    """What a router is made of, apart from the encoder."""

    manifest: Manifest
    predictor: Predictor
    cost: CostModel
    policy: Policy
    single: str | None
    """Target that takes every query in the policy's place; None if there is no such target."""


def load_parts(path: Path) -> Parts:
    """Read the bundle at `path`, assemble it and check its golden vectors.

    Raises:
        UserError: the bundle is missing, damaged or of another version, does not fit together, or computes something
            else here.
    """
    bundle = read_bundle(path)
    try:
        parts, golden = _assemble(bundle)
    except UserError as error:
        raise UserError(f"{path}: {error}; train again") from error
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
        # The checksums match, so the file is as it was written: by hand, or by a different version.
        raise UserError(f"{path}: the parts do not fit together ({error!r:.150}); train again") from error
    golden.check(parts.predictor, path)
    return parts


def _assemble(bundle: Bundle) -> tuple[Parts, GoldenVectors]:
    manifest = bundle.manifest
    predictor = Predictor(
        BlockTransform.from_state(manifest.blocks, bundle.part("transform")),
        restore_head(manifest.head, bundle.part("head")),
        restore(manifest.calibration, _arrays(bundle, "calibration"), Calibrator),  # type: ignore[type-abstract]
    )
    cost = restore(manifest.cost, _arrays(bundle, "cost"), CostModel)  # type: ignore[type-abstract]
    names = manifest.target_names
    if not names or cost.targets_ != names or predictor.head.num_targets != len(names):
        raise UserError(
            f"expected the same targets throughout, found {len(names)} targets, a head for "
            f"{predictor.head.num_targets} and costs for {len(cost.targets_)}"
        )
    encoders = {entry.facts.name for entry in manifest.encoders}
    if unknown := {block.encoder for block in manifest.blocks} - encoders or not encoders:
        raise UserError(f"blocks: expected encoder {', '.join(sorted(encoders)) or 'names'}, found {unknown}")
    policy = restore(manifest.policy["policy"], {}, Policy)  # type: ignore[type-abstract]
    single = manifest.policy["single"]
    if single is not None and single not in names:
        raise UserError(f"policy.single: expected one of {', '.join(names)}, found {single!r}")
    return Parts(manifest, predictor, cost, policy, single), GoldenVectors.from_tensors(bundle.part("golden"))


def _arrays(bundle: Bundle, part: str) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in bundle.part(part).items()}
