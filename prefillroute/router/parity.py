"""Checks that a bundle reproduces its run: confidences from cached activations and from text, and the choices."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from prefillroute.caches.commands import run_words, with_own_facts
from prefillroute.errors import UserError
from prefillroute.outcomes.files import read_outcomes
from prefillroute.readings.cached import CachedReadings, CacheLibrary
from prefillroute.router.router import Router
from prefillroute.routing.policies.lambda_policy import LambdaPolicy

LAMBDAS = (0.0, 0.3, 0.7)
CACHED_TOLERANCE, AGREEMENT = 1e-5, 0.99
"""Limits that a run's bundle must stay within: the error of a confidence, and the share of equal choices."""
TEXT_TOLERANCE = {"float32": 1e-3, "bfloat16": 1e-2}
"""The error of a confidence from text, by the dtype of the models' forward pass: what a query's activations are rounded
to depends on the batch that it is read in."""


@dataclass(frozen=True)
class Parity:
    """Largest differences in confidence, and the share of test queries that are sent to the run's target."""

    num_cached: int
    cached_error: float
    """Largest |difference| in a confidence from cached readings."""
    num_texts: int
    text_error: float
    """The same from text, tokenizer, template and forward pass included."""
    text_limit: float
    """What it must not exceed."""
    agreement: dict[str, float]
    """Share for each lambda, with the run's own costs."""
    agreement_new: dict[str, float]
    """The same with costs estimated as for a new query, whose token counts at the target are not known yet."""
    cost_error: float
    """Median |relative difference| between those costs and the run's."""

    @property
    def passed(self) -> bool:
        """Whether the bundle stays within the tolerances; `agreement_new` and `cost_error` are for information only."""
        return (
            self.cached_error <= CACHED_TOLERANCE
            and self.text_error <= self.text_limit
            and min(self.agreement.values()) >= AGREEMENT
        )

    def lines(self) -> list[str]:
        """A summary for people to read."""
        same = ", ".join(f"{share:.4f} at lambda {name}" for name, share in self.agreement.items())
        new = ", ".join(f"{share:.4f} at lambda {name}" for name, share in self.agreement_new.items())
        return [
            f"confidence from cached readings: within {self.cached_error:.1e} on {self.num_cached} test queries "
            f"(limit {CACHED_TOLERANCE:.0e})",
            f"confidence from text: within {self.text_error:.1e} on {self.num_texts} test queries "
            f"(limit {self.text_limit:.0e})",
            f"same target as the run, with the run's costs: {same} (at least {AGREEMENT} required)",
            f"the same with a new query's cost estimate: {new}; the median cost difference is {self.cost_error:.1%}",
            "parity holds" if self.passed else "parity FAILS",
        ]

    def to_dict(self) -> dict[str, Any]:
        """The fields and `passed` as plain values."""
        return {**asdict(self), "passed": self.passed}


def check_parity(run_dir: Path, num_texts: int = 64, device: str = "auto") -> Parity:
    """Compare a run folder's bundle with its predictions, reading cache and prompts where the run found them.

    Args:
        run_dir: folder with ``.hydra/config.yaml``, ``predictions.parquet`` and ``router/``.
        num_texts: number of test queries, evenly spread, to run from text.
        device: device of the encoder.

    Raises:
        UserError: `run_dir` is not a run folder with a bundle, or its caches or outcomes have moved.
    """
    config_file, predictions = run_dir / ".hydra" / "config.yaml", run_dir / "predictions.parquet"
    for path in (config_file, predictions):
        if not path.is_file():
            raise UserError(
                f"{path}: expected the folder of a finished run of `prefillroute train`, found no such file"
            )
    try:
        config: Any = OmegaConf.load(config_file)
        caches = Path(config.paths.caches)
        outcomes, names = Path(config.pool.outcomes), [str(target.name) for target in config.pool.targets]
    except OmegaConfBaseException as error:
        raise UserError(
            f"{config_file}: expected a run's configuration, found {str(error).splitlines()[0]}"
        ) from error
    router = Router.load(run_dir / "router", device)
    frame = pd.read_parquet(predictions)
    test = frame[frame["split"] == "test"]
    query_ids = test["query_id"].drop_duplicates().tolist()
    queries = read_outcomes(outcomes, [name for name in names if name in router.targets]).queries
    queries = queries.set_index("query_id").reindex(query_ids).reset_index()
    models = {(entry.reading.group, entry.reading.name): entry.facts for entry in router.manifest.models}
    try:
        library = CacheLibrary(
            caches, queries, lambda group, name: models[group, name], str(config.pool.name)
        )
        return compare(router, CachedReadings(library), test, num_texts)
    except UserError as error:
        raise UserError(with_own_facts(str(error), _words(run_dir / ".hydra" / "hydra.yaml"))) from error


def _words(hydra_file: Path) -> dict[str, list[str]]:
    """The run's facts as overrides of the commands that fill its caches."""
    hydra: Any = OmegaConf.load(hydra_file)
    return run_words(hydra.hydra)


def compare(router: Router, readings: CachedReadings, test: pd.DataFrame, num_texts: int) -> Parity:
    """Compare a router with predictions.

    Args:
        router: the router of the bundle.
        readings: N test queries of the run, from its caches.
        test: rows of ``predictions.parquet`` for exactly these queries.
        num_texts: how many of the queries to run from text.
    """
    wide = test.pivot(index="query_id", columns="target", values=["confidence", "cost_usd"])
    wide = wide.reindex(readings.query_ids)
    wanted = wide["confidence"][list(router.targets)].to_numpy(dtype=np.float64)
    cost = wide["cost_usd"][list(router.targets)].to_numpy(dtype=np.float64)
    scores = router.score(readings)
    found, new_cost, cost_range = scores.confidence, scores.cost_usd, router.cost.cost_range_
    some = np.linspace(0, len(readings) - 1, min(num_texts, len(readings))).astype(int)
    few = readings.select(some)
    from_text = router.route(
        few.column("prompt").tolist(), columns={name: few.column(name).tolist() for name in router.columns}
    )
    text = np.array([list(decision.confidence.values()) for decision in from_text]).reshape(
        len(some), len(router.targets)
    )
    agreement, agreement_new = {}, {}
    for lambda_ in LAMBDAS:
        policy = LambdaPolicy(lambda_)
        run_choice = policy.choose(wanted, cost, cost_range)
        ours = policy.choose(found, cost, cost_range)
        new = policy.choose(found, new_cost, cost_range)
        agreement[f"{lambda_:g}"] = float((ours == run_choice).mean())
        agreement_new[f"{lambda_:g}"] = float((new == run_choice).mean())
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(cost > 0, np.abs(new_cost - cost) / cost, np.abs(new_cost - cost))
    return Parity(
        num_cached=len(readings),
        cached_error=float(np.abs(found - wanted).max()),
        num_texts=len(some),
        text_limit=max(
            (TEXT_TOLERANCE[entry.identity.compute_dtype] for entry in router.manifest.models),
            default=TEXT_TOLERANCE["float32"],
        ),
        text_error=float(np.abs(text - wanted[some]).max()) if len(some) else 0.0,
        agreement=agreement,
        agreement_new=agreement_new,
        cost_error=float(np.median(relative)),
    )
