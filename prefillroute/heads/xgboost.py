"""Gradient-boosted trees per target, by XGBoost (paper, section 4.2)."""

import importlib
from functools import lru_cache, partial
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from prefillroute.errors import UserError
from prefillroute.heads.contract import ClosedFormHead, NetStack
from prefillroute.heads.layout import Layout
from prefillroute.seeds import derive_seed
from prefillroute.text import hints

TREE = (
    "max_depth", "max_bin", "learning_rate", "subsample", "colsample_bytree", "min_child_weight", "reg_lambda",
)  # fmt: skip
"""Hyper-parameters that XGBoost has under the same names."""


class BoosterStack(NetStack):
    """`booster` (S, M, L) uint8 holds each target's trees as UBJSON, padded with zeros to the longest; `length` (S, M)
    is their length; `base` (S, M) is the logit of a target without trees (length 0).

    Identical members share their memory until a state is loaded.
    """

    booster: Tensor
    length: Tensor
    base: Tensor

    def __init__(self, num_nets: int, num_targets: int, own_features: int) -> None:
        super().__init__()
        self.own_features = own_features
        self.register_buffer("booster", torch.zeros(num_nets, num_targets, 0, dtype=torch.uint8))
        self.register_buffer("length", torch.zeros(num_nets, num_targets, dtype=torch.int64))
        self.register_buffer("base", torch.zeros(num_nets, num_targets))

    def store(self, models: list[bytes], base: list[float]) -> None:
        """Store each target's trees (empty for a target without trees) and its `base`, the same for all nets."""
        length = max(map(len, models))
        padded = np.frombuffer(b"".join(model.ljust(length, b"\0") for model in models), dtype=np.uint8)
        self.booster = torch.from_numpy(padded.copy()).view(len(models), length).expand(self.num_nets, -1, -1)
        self.length.copy_(torch.tensor([len(model) for model in models]))
        self.base.copy_(torch.tensor(base))

    def forward(self, features: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Logits (S, B, M) of features (B, D)."""
        columns = features.detach().cpu().numpy()
        common = columns.shape[1] - self.length.shape[1] * self.own_features
        logits = self.base.cpu()[:, None, :].repeat(1, len(columns), 1)
        done: dict[tuple[int, bytes], Tensor] = {}  # members are mostly identical
        for net, target in self.length.nonzero().tolist():
            model = self.booster[net, target, : self.length[net, target]].cpu().numpy().tobytes()
            if (target, model) not in done:
                start = common + target * self.own_features
                own = np.r_[:common, start : start + self.own_features]
                margin = _load(model).inplace_predict(
                    columns[:, own] if self.own_features else columns, predict_type="margin"
                )
                done[target, model] = torch.from_numpy(margin)
            logits[net, :, target] = done[target, model]
        return logits.to(features.device)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """Accept boosters of any length, because training decides how long the longest is."""
        saved = state_dict.get(f"{prefix}booster")
        if saved is not None:
            self.booster = self.booster.new_zeros(*self.booster.shape[:2], saved.shape[-1])
        super()._load_from_state_dict(state_dict, prefix, *args)


class XGBoostHead(ClosedFormHead):
    """One booster per target (``binary:logistic``, histogram trees), stopped early on the group's validation part.

    Outcomes between 0 and 1 are used as labels unchanged; queries whose outcome is missing are left out. A target with
    only one class gets the rule of succession instead of trees. A target without outcomes in the validation part gets
    `patience` rounds. A target's trees read the common columns and its own. XGBoost uses as many threads as torch; the
    same seed gives the same trees, bit for bit.

    Args:
        num_rounds, patience: maximum number of trees, and number of trees without a lower log loss after which boosting
            stops; the trees after the best are dropped.
        max_bin: bins of a column; 64 bins take half the time of XGBoost's default of 256.
        max_depth, learning_rate, subsample, colsample_bytree, min_child_weight, reg_lambda: as in XGBoost.

    Raises:
        UserError: XGBoost is not installed, or a hyper-parameter is out of range.

    Example:
        >>> x = torch.linspace(-1, 1, 100)[None, :, None]
        >>> head = XGBoostHead(Layout(width=1), num_targets=1, patience=5)
        >>> logits = head.fit(x, (x[0] > 0).float(), torch.ones(1, 100, dtype=torch.bool))(x)[0, 0, :, 0]
        >>> bool(logits[0] < 0 < logits[-1])
        True
    """

    def __init__(
        self,
        layout: Layout,
        num_targets: int,
        num_groups: int = 1,
        num_members: int = 1,
        seed: int = 0,
        num_rounds: int = 1000,
        patience: int = 20,
        max_bin: int = 64,
        max_depth: int = 4,
        learning_rate: float = 0.03,
        subsample: float = 0.8,
        colsample_bytree: float = 0.5,
        min_child_weight: float = 5.0,
        reg_lambda: float = 1.0,
    ) -> None:
        super().__init__(layout, num_targets, num_groups, num_members, seed)
        counts = {"num_rounds": num_rounds, "patience": patience, "max_depth": max_depth, "max_bin": max_bin}
        for key, count in counts.items():
            least = 2 if key == "max_bin" else 1
            if count < least:
                raise UserError(f"head.{key}: expected at least {least}, found {count}")
        rates = {"learning_rate": learning_rate, "subsample": subsample, "colsample_bytree": colsample_bytree}
        for key, rate in rates.items():
            if not 0 < rate <= 1:
                raise UserError(f"head.{key}: expected more than 0 and at most 1, found {rate}")
        penalties = {"min_child_weight": min_child_weight, "reg_lambda": reg_lambda}
        for key, penalty in penalties.items():
            if penalty < 0:
                raise UserError(f"head.{key}: expected 0 or more, found {penalty}")
        xgboost()  # fail now rather than after the features have been computed
        self.num_rounds, self.patience = num_rounds, patience
        self.max_bin, self.max_depth, self.learning_rate = max_bin, max_depth, learning_rate
        self.subsample, self.colsample_bytree = subsample, colsample_bytree
        self.min_child_weight, self.reg_lambda = min_child_weight, reg_lambda
        self.groups.extend(
            BoosterStack(num_members, num_targets, self.own_features) for _ in range(num_groups)
        )

    @property
    def fits_per_member(self) -> int:
        """One per target, although they are solved together."""
        return self.num_targets

    def fit(self, features: Tensor, correct: Tensor, train: Tensor, valid: Tensor | None = None) -> Self:
        """Boost one group and target after another."""
        for group in range(self.num_groups):
            held = torch.zeros_like(train[group]) if valid is None else valid[group]
            x, y = features[group, train[group]], correct[train[group]]
            x_valid, y_valid = features[group, held], correct[held]
            whole: tuple[Any, Any] | None = None  # matrices of all rows and columns, which targets share
            models, base = [], []
            for target in range(self.num_targets):
                label, label_valid = y[:, target], y_valid[:, target]
                seen, seen_valid = ~label.isnan(), ~label_valid.isnan()
                hits, count = float(label[seen].double().sum()), int(seen.sum())
                if not 0 < hits < count:
                    models.append(b"")
                    base.append(float(np.log((hits + 0.5) / (count - hits + 0.5))))
                    continue
                if self.own_features or not (seen.all() and seen_valid.all()):
                    pair = self._matrices(
                        self.target_features(x[seen], target),
                        self.target_features(x_valid[seen_valid], target),
                    )
                else:
                    pair = whole = whole or self._matrices(x, x_valid)
                models.append(self._boost(pair, label[seen], label_valid[seen_valid], group, target))
                base.append(0.0)
            stack = self.stack(group)
            assert isinstance(stack, BoosterStack)
            stack.store(models, base)
        return self

    def _matrices(self, features: Tensor, valid_features: Tensor) -> tuple[Any, Any]:
        """Quantised features (n, F) for training and, in the same bins, those for early stopping."""
        matrix = partial(xgboost().QuantileDMatrix, max_bin=self.max_bin, nthread=torch.get_num_threads())
        train = matrix(features.numpy())
        return train, matrix(valid_features.numpy(), ref=train) if len(valid_features) else None

    def _boost(
        self, matrices: tuple[Any, Any], label: Tensor, label_valid: Tensor, group: int, target: int
    ) -> bytes:
        """The best trees for one target, as UBJSON."""
        xgb = xgboost()
        train, valid = matrices
        train.set_label(label.numpy())
        parameters = {
            "objective": "binary:logistic",
            "eval_metric": "logloss",
            "tree_method": "hist",
            "seed": derive_seed(self.seed, "xgboost", group, target) % 2**31,
            "nthread": torch.get_num_threads(),
            "verbosity": 0,
            **{name: getattr(self, name) for name in TREE},
        }
        if not len(label_valid):
            booster = xgb.train(parameters, train, min(self.patience, self.num_rounds))
        else:
            valid.set_label(label_valid.numpy())
            booster = xgb.train(
                parameters,
                train,
                self.num_rounds,
                evals=[(valid, "valid")],
                early_stopping_rounds=self.patience,
                verbose_eval=False,
            )
            booster = booster[: booster.best_iteration + 1]
        return bytes(booster.save_raw("ubj"))


def xgboost() -> Any:
    """Import the xgboost package.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.import_module("xgboost")
    except ModuleNotFoundError as error:
        raise UserError(
            f"head=xgboost needs the module '{error.name}'; run {hints.install_wheel('xgboost-cpu')}"
        ) from error


@lru_cache(maxsize=256)
def _load(model: bytes) -> Any:
    """Load the booster from its UBJSON `model`; it is cached, because a router predicts one query at a time."""
    xgb = xgboost()
    booster = xgb.Booster({"nthread": torch.get_num_threads()})
    try:
        booster.load_model(bytearray(model))
    except xgb.core.XGBoostError as error:
        raise UserError(
            f"head=xgboost: trees that XGBoost cannot read ({str(error).splitlines()[0]})"
        ) from error
    return booster
