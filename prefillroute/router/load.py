"""Turns a bundle's files into working parts."""

from dataclasses import dataclass
from pathlib import Path

from prefillroute.calibration.contract import load_calibrator
from prefillroute.errors import UserError
from prefillroute.heads.contract import Head
from prefillroute.heads.format1 import head_from_format1
from prefillroute.layers.features import BlockTransform
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.outcomes.costs.state import cost_from_state
from prefillroute.router.bundle import Bundle, read_bundle
from prefillroute.router.golden import GoldenVectors
from prefillroute.router.manifest import Manifest
from prefillroute.router.policies import restore_policy
from prefillroute.router.predictor import Predictor
from prefillroute.spec import restore


@dataclass(frozen=True)
class Parts:
    """What a router is made of, apart from the encoder."""

    manifest: Manifest
    predictor: Predictor
    cost: CostModel


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
        _head(bundle),
        load_calibrator(manifest.calibration),
    )
    cost = cost_from_state(manifest.cost)
    names = manifest.target_names
    if not names or cost.targets_ != names or predictor.head.num_targets != len(names):
        raise UserError(
            f"expected the same targets throughout, found {len(names)} targets, a head for "
            f"{predictor.head.num_targets} and costs for {len(cost.targets_)}"
        )
    encoders = {entry.facts.name for entry in manifest.encoders}
    if unknown := {block.encoder for block in manifest.blocks} - encoders or not encoders:
        raise UserError(f"blocks: expected encoder {', '.join(sorted(encoders)) or 'names'}, found {unknown}")
    restore_policy(manifest.policy, names)
    return Parts(manifest, predictor, cost), GoldenVectors.from_tensors(bundle.part("golden"))


def _head(bundle: Bundle) -> Head:
    spec = bundle.manifest.head
    weights = {name: tensor.numpy() for name, tensor in bundle.part("head").items()}
    return restore(spec, weights, Head) if "arguments" in spec else head_from_format1(spec, weights)
