"""L2 logistic regression of many columns on one feature matrix, solved together.

The columns (targets x penalties) share every matrix product. In the eigenbasis of the feature covariance,
scaled by the curvature at the starting point, each column's Hessian starts near the identity, so L-BFGS needs some
tens of steps whatever the spread of the features. A line search needs no product, because logits are linear in the
step.
"""

import torch
from torch import Tensor
from torch.nn.functional import softplus

HISTORY = 10
ARMIJO = 1e-4


class _History:
    """The last steps and gradient changes of every column, for L-BFGS."""

    def __init__(self) -> None:
        self.steps: list[Tensor] = []
        self.changes: list[Tensor] = []

    def push(self, step: Tensor, change: Tensor) -> None:
        self.steps = [*self.steps, step][-HISTORY:]
        self.changes = [*self.changes, change][-HISTORY:]

    def keep(self, columns: Tensor) -> None:
        self.steps = [step[:, columns] for step in self.steps]
        self.changes = [change[:, columns] for change in self.changes]

    def direction(self, gradient: Tensor) -> Tensor:
        """Descent direction (P, K) for `gradient` by the two-loop recursion."""
        result = -gradient
        pairs = []
        for step, change in zip(reversed(self.steps), reversed(self.changes), strict=True):
            curvature = (step * change).sum(0)
            rho = torch.where(curvature > 0, 1 / curvature, 0.0)  # a column that did not move is left out
            alpha = rho * (step * result).sum(0)
            result = result - alpha * change
            pairs.append((step, change, rho, alpha))
        if pairs:
            step, change, _, _ = pairs[0]
            norm = (change * change).sum(0)
            result = result * torch.where(norm > 0, (step * change).sum(0) / norm, 1.0).clamp(min=1e-6)
        for step, change, rho, alpha in reversed(pairs):
            beta = rho * (change * result).sum(0)
            result = result + step * (alpha - beta)
        return result


def solve_logistic(
    features: Tensor, correct: Tensor, penalty: Tensor, tolerance: float = 1e-8, max_steps: int = 200
) -> tuple[Tensor, Tensor]:
    """Weights (D, K) and intercepts (K,) that minimise, for each column k,

    ``sum_i [softplus(z_ik) - y_ik z_ik] + penalty_k / 2 |w_k|^2``  over observed i, with z = features @ w + b.

    Args:
        features: (n, D); float64 gives coefficients to about 1e-6, float32 probabilities to about 1e-4.
        correct: (n, K) in [0, 1], NaN = missing.
        penalty: (K,) positive; scikit-learn's 1 / C. The intercept is not penalised.
        tolerance: stop when the expected decrease per row is below it.
        max_steps: upper bound of L-BFGS steps.

    A column with only one class has no finite intercept: it gets zero weights and the rule of succession.
    """
    seen = (~correct.isnan()).to(features.dtype)  # (n, K)
    outcome = correct.to(features.dtype).nan_to_num(0.0)
    count = seen.sum(0)
    hits = (outcome * seen).sum(0)
    varied = (hits > 0) & (hits < count)
    base = torch.where(varied, hits / count.clamp(min=1), (hits + 0.5) / (count + 1))
    weights = features.new_zeros(features.shape[1], correct.shape[1])
    intercept = torch.logit(base)
    if not varied.any():
        return weights, intercept

    mean = features.mean(0)
    centred = features - mean
    eigenvalues, basis = torch.linalg.eigh(centred.double().T @ centred.double())
    ones = torch.ones_like(features[:, :1])
    rotated = torch.cat([centred @ basis.to(features.dtype), ones], dim=1)  # (n, P)
    eigenvalues = torch.cat([eigenvalues.clamp(min=0), eigenvalues.new_tensor([len(features)])])
    eigenvalues = eigenvalues.to(features.dtype)

    columns = varied.nonzero().squeeze(1)
    ridge = penalty.to(features.dtype)[columns].expand(len(eigenvalues), -1).clone()
    ridge[-1] = 0.0
    share = base * (1 - base) * count / len(features)
    scale = (eigenvalues[:, None] * share[columns] + ridge).rsqrt()  # (P, K)
    point = torch.zeros_like(scale)
    point[-1] = intercept[columns] / scale[-1]
    solved = _minimise(
        rotated, outcome[:, columns], seen[:, columns], ridge, scale, point, tolerance, max_steps
    )
    weights[:, columns] = basis.to(features.dtype) @ solved[:-1]
    intercept[columns] = solved[-1] - mean @ weights[:, columns]
    return weights, intercept


def _minimise(
    rotated: Tensor,
    outcome: Tensor,
    seen: Tensor,
    ridge: Tensor,
    scale: Tensor,
    point: Tensor,
    tolerance: float,
    max_steps: int,
) -> Tensor:
    """Coefficients (P, K) in the rotated basis; columns that have converged leave the products."""
    result = point * scale
    open_columns = torch.arange(point.shape[1], device=point.device)
    history = _History()
    logits = rotated @ (point * scale)
    gradient = _gradient(rotated, logits, outcome, seen, ridge, scale, point)
    for _ in range(max_steps):
        # The Hessian is near the identity here: half the squared gradient is the decrease to come.
        going = 0.5 * (gradient * gradient).sum(0) > tolerance * len(rotated)
        if not going.all():
            result[:, open_columns[~going]] = (point * scale)[:, ~going]
            open_columns = open_columns[going]
            logits, outcome, seen = logits[:, going], outcome[:, going], seen[:, going]
            ridge, scale, point, gradient = (x[:, going] for x in (ridge, scale, point, gradient))
            history.keep(going)
        if not len(open_columns):
            return result
        direction = history.direction(gradient)
        slope = (direction * gradient).sum(0)
        uphill = slope >= 0
        direction = torch.where(uphill, -gradient, direction)
        slope = torch.where(uphill, -(gradient * gradient).sum(0), slope)
        change = rotated @ (direction * scale)
        length = _line_search(logits, change, outcome, seen, ridge, point * scale, direction * scale, slope)
        step = length * direction
        point = point + step
        logits = logits + length * change
        fresh = _gradient(rotated, logits, outcome, seen, ridge, scale, point)
        history.push(step, fresh - gradient)
        gradient = fresh
        if not length.any():  # the dtype's precision is reached
            break
    result[:, open_columns] = point * scale
    return result


def _gradient(
    rotated: Tensor,
    logits: Tensor,
    outcome: Tensor,
    seen: Tensor,
    ridge: Tensor,
    scale: Tensor,
    point: Tensor,
) -> Tensor:
    residual = (torch.sigmoid(logits) - outcome) * seen
    return scale * (rotated.T @ residual + ridge * scale * point)


def _line_search(
    logits: Tensor,
    change: Tensor,
    outcome: Tensor,
    seen: Tensor,
    ridge: Tensor,
    coefficients: Tensor,
    move: Tensor,
    slope: Tensor,
) -> Tensor:
    """Step length (K,), halved from 1 until Armijo's condition holds; 0 if thirty halvings fail."""
    linear = (ridge * coefficients * move).sum(0, dtype=torch.float64)
    square = (ridge * move * move).sum(0, dtype=torch.float64) / 2

    def loss(length: Tensor) -> Tensor:
        moved = logits + length * change
        fit = ((softplus(moved) - outcome * moved) * seen).sum(0, dtype=torch.float64)
        return fit + linear * length + square * length**2

    length = torch.ones_like(slope)
    start = loss(torch.zeros_like(slope))
    slack = 10 * torch.finfo(logits.dtype).eps * start.abs()  # the sums are no more exact than their terms
    for _ in range(30):
        short = loss(length) > start + ARMIJO * length * slope + slack
        if not short.any():
            return length
        length = torch.where(short, length / 2, length)
    return torch.where(short, 0.0, length)
