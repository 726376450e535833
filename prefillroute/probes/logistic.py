"""L2 logistic regression for many targets and many PCA dimensions, solved as one batched problem.

N = rows, D = features, P = dimensions (leading columns), T = targets, K = P x T problems side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

MEMORY = 6
"""Pairs of steps and gradient changes that L-BFGS keeps."""


@dataclass(frozen=True)
class LogisticFit:
    """Weights of K = P x T logistic regressions."""

    weights: Tensor
    """(D, P, T); zero in the rows that a dimension does not use."""
    bias: Tensor
    """(P, T)."""
    iterations: int
    decrement: Tensor
    """(P, T) estimated distance of the objective from its minimum, in nats summed over rows."""

    def logits(self, features: Tensor) -> Tensor:
        """(N, P, T) for `features` (N, D)."""
        flat = features @ self.weights.flatten(1) + self.bias.flatten()
        return flat.unflatten(1, self.bias.shape)


def fit_logistic(
    features: Tensor,
    labels: Tensor,
    *,
    regularisation: float = 1.0,
    dims: Sequence[int] | None = None,
    tolerance: float = 1e-5,
    max_iterations: int = 200,
) -> LogisticFit:
    """Minimise sum_i softplus(-s_i f_i) + |w|^2 / (2 C), scikit-learn's objective, for every target and dimension.

    `labels` (N, T) are 0, 1 or NaN (left out). `dims` are ascending; each means the leading columns of `features`, and
    the default is all of them. The intercept is not penalised. Targets with one class get no weights and a smoothed
    base-rate intercept. `tolerance` is in nats of the objective.

    In PCA coordinates the features are uncorrelated, so the Hessian is nearly mean(p (1 - p)) diag(Z^T Z) + 1/C; with
    that as its starting matrix, L-BFGS needs about five steps. Each step costs two matrix products over all problems.
    Its length needs no third product: logits are linear in the step, so a one-dimensional Newton step gives it.

    Example:
        >>> features, labels = torch.tensor([[-1.0], [1.0], [-1.0], [1.0]]), torch.tensor([[0.0], [1.0], [0.0], [1.0]])
        >>> fit = fit_logistic(features, labels)
        >>> (fit.logits(features) > 0).flatten().tolist()
        [False, True, False, True]
    """
    dims = tuple(dims or (features.shape[1],))
    num_targets = labels.shape[1]
    problem = _Problem(features, labels, dims, 1 / regularisation)
    state = problem.start()
    history: list[tuple[Tensor, Tensor, Tensor]] = []
    for iterations in range(1, max_iterations + 1):  # noqa: B007
        direction = -_two_loop(state.gradient, history, problem.curvature(state))
        slope = (state.gradient * direction).sum(0)
        # A direction that does not descend (rounding near the minimum) is replaced by standing still.
        direction = torch.where(slope < 0, direction, 0.0)
        slope = slope.clamp_max(0)
        if float(slope.min()) > -2 * tolerance:
            break
        before, state = state, problem.step(state, direction, slope)
        moved, turned = state.weights - before.weights, state.gradient - before.gradient
        product = (moved * turned).sum(0)
        usable = product > 1e-10 * (turned.square().sum(0) * moved.square().sum(0)).sqrt()
        history.append((moved, turned, torch.where(usable, 1 / product, 0.0)))
        del history[:-MEMORY]
    weights = state.weights[:-1].unflatten(1, (len(dims), num_targets))
    bias = (state.weights[-1] - problem.centre @ state.weights[:-1]).unflatten(0, (len(dims), num_targets))
    return LogisticFit(weights, bias, iterations, (-slope / 2).unflatten(0, (len(dims), num_targets)))


@dataclass
class _State:
    weights: Tensor  # (D + 1, K), intercept last
    logits: Tensor  # (N, K)
    gradient: Tensor  # (D + 1, K)
    spread: Tensor  # (N, K) p (1 - p), 0 where the label is missing
    objective: Tensor  # (K,) float64


class _Problem:
    """The data and the matrix products; the K columns run over dimensions (ascending), then over targets."""

    def __init__(self, features: Tensor, labels: Tensor, dims: tuple[int, ...], penalty: float) -> None:
        self.centre = features.mean(0)
        self.features = features - self.centre
        self.dims, self.num_targets, self.penalty = dims, labels.shape[1], penalty
        observed = ~labels.isnan()
        ones = (labels == 1).sum(0)
        self.solvable = (ones > 0) & (ones < observed.sum(0))  # (T,)
        self.base = ((ones + 0.5) / (observed.sum(0) + 1)).logit().to(features)
        mask = observed & self.solvable
        self.complete = bool(mask.all())
        self.mask = mask.to(features).repeat(1, len(dims))  # (N, K)
        self.labels = torch.where(mask, labels, 0.0).to(features).repeat(1, len(dims))
        self.squares = self.features.square().sum(0)  # (D,)
        edges = (0, *dims)
        self.blocks = [(edges[j], edges[j + 1], j * self.num_targets) for j in range(len(dims))]
        # Weights that a dimension does not use have a gradient of 0 and so stay 0.

    def forward(self, weights: Tensor) -> Tensor:
        """Logits (N, K) of `weights` (D + 1, K)."""
        out = weights[-1].expand(len(self.features), -1).clone()
        for low, high, first in self.blocks:
            out[:, first:].addmm_(self.features[:, low:high], weights[low:high, first:])
        return out

    def backward(self, residual: Tensor) -> Tensor:
        """Gradient (D + 1, K) of the loss from `residual` (N, K)."""
        out = residual.new_zeros(self.features.shape[1] + 1, residual.shape[1])
        for low, high, first in self.blocks:
            out[low:high, first:] = self.features[:, low:high].T @ residual[:, first:]
        out[-1] = residual.sum(0)
        return out

    def start(self) -> _State:
        weights = self.features.new_zeros(self.features.shape[1] + 1, self.mask.shape[1])
        weights[-1] = self.base.repeat(len(self.dims))
        logits = self.forward(weights)
        return self.at(weights, logits, self.objective(weights, logits))

    def objective(self, weights: Tensor, logits: Tensor) -> Tensor:
        loss = softplus(logits) - self.labels * logits
        if not self.complete:
            loss = loss * self.mask
        ridge = weights[:-1].square().sum(0, dtype=torch.float64)
        return loss.sum(0, dtype=torch.float64) + self.penalty / 2 * ridge

    def at(self, weights: Tensor, logits: Tensor, objective: Tensor) -> _State:
        probability = logits.sigmoid()
        residual = probability - self.labels
        spread = probability * (1 - probability)
        if not self.complete:
            residual, spread = residual * self.mask, spread * self.mask
        gradient = self.backward(residual)
        gradient[:-1] += self.penalty * weights[:-1]
        return _State(weights, logits, gradient, spread, objective)

    def curvature(self, state: _State) -> Tensor:
        """Diagonal of the Hessian as if p (1 - p) were unrelated to the features: (D + 1, K), positive."""
        total = state.spread.sum(0)
        diagonal = torch.cat(
            [self.squares[:, None] * (total / len(self.features)) + self.penalty, total[None]]
        )
        return diagonal.clamp_min(torch.finfo(diagonal.dtype).tiny ** 0.5)

    def step(self, state: _State, direction: Tensor, slope: Tensor) -> _State:
        """Newton's length along `direction` (D + 1, K), halved where the objective would rise."""
        along = self.forward(direction)
        bend = (state.spread * along.square()).sum(0) + self.penalty * direction[:-1].square().sum(0)
        length = torch.where(slope < 0, -slope / bend.clamp_min(torch.finfo(bend.dtype).tiny), 0.0)
        slack = 1 + torch.finfo(direction.dtype).eps
        for _ in range(30):
            weights = state.weights + length * direction
            logits = state.logits + length * along
            objective = self.objective(weights, logits)
            rises = objective > state.objective * slack  # more than rounding can explain
            if not rises.any():
                break
            length = torch.where(rises, length / 2, length)
        return self.at(weights, logits, objective)


def _two_loop(gradient: Tensor, history: list[tuple[Tensor, Tensor, Tensor]], diagonal: Tensor) -> Tensor:
    """L-BFGS's product of inverse Hessian and gradient (Nocedal 1980); each column is a separate problem."""
    result = gradient.clone()
    factors = []
    for moved, turned, inverse in reversed(history):
        factor = inverse * (moved * result).sum(0)
        result -= factor * turned
        factors.append(factor)
    result /= diagonal
    for (moved, turned, inverse), factor in zip(history, reversed(factors), strict=True):
        result += moved * (factor - inverse * (turned * result).sum(0))
    return result
