"""From a bundle's files to working parts."""

from dataclasses import dataclass
from pathlib import Path

from prefillroute.calibration.contract import load_calibrator
from prefillroute.errors import UserError
from prefillroute.heads.restore import restore_head
from prefillroute.layers.features import BlockTransform
from prefillroute.outcomes.costs.contract import CostModel
from prefillroute.outcomes.costs.state import cost_from_state
from prefillroute.router.bundle import Bundle, read_bundle
from prefillroute.router.golden import GoldenVectors
from prefillroute.router.manifest import Manifest
from prefillroute.router.policies import restore_policy
from prefillroute.router.predictor import Predictor


@dataclass(frozen=True)
class Parts:
    """What a router is made of, the encoder aside."""

    manifest: Manifest
    predictor: Predictor
    cost: CostModel


def load_parts(path: Path) -> Parts:
    """Read the bundle at `path`, put it together and check its golden vectors.

    Raises:
        UserError: it is missing, damaged, of another version, does not fit together, or computes
            something else.
    """
    bundle = read_bundle(path)
    try:
        parts, golden = _assemble(bundle)
    except UserError as error:
        raise UserError(f"{path}: {error}; train again") from error
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
        # The sums are right, so the file is as it was written: by hand, or by a version that differs.
        raise UserError(f"{path}: the parts do not fit together ({error!r:.150}); train again") from error
    golden.check(parts.predictor, path)
    return parts


def _assemble(bundle: Bundle) -> tuple[Parts, GoldenVectors]:
    manifest = bundle.manifest
    predictor = Predictor(
        BlockTransform.from_state(manifest.blocks, bundle.part("transform")),
        restore_head(manifest.head, bundle.part("head")),
        load_calibrator(manifest.calibration),
    )
    cost = cost_from_state(manifest.cost)
    names = manifest.target_names
    if not names or cost.targets_ != names or predictor.head.num_targets != len(names):
        raise UserError(
            f"{len(names)} targets, a head for {predictor.head.num_targets} and costs for "
            f"{len(cost.targets_)}; "
            "wanted the same targets in all three"
        )
    encoders = {entry.facts.name for entry in manifest.encoders}
    if unknown := {block.encoder for block in manifest.blocks} - encoders or not encoders:
        raise UserError(f"blocks of encoder {unknown}, wanted {', '.join(sorted(encoders)) or 'an encoder'}")
    restore_policy(manifest.policy, names)
    return Parts(manifest, predictor, cost), GoldenVectors.from_tensors(bundle.part("golden"))
