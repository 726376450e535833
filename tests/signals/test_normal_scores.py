import numpy as np
import pytest
from scipy.stats import norm

from prefillroute.signals.normal_scores import BOUND, NormalScores


def test_scores_are_the_normal_quantiles_of_the_rank() -> None:
    rng = np.random.default_rng(0)
    values = np.exp(3 * rng.normal(size=(101, 2)))
    wanted = norm.ppf(np.argsort(np.argsort(values, axis=0), axis=0) / 100).clip(-BOUND, BOUND)
    np.testing.assert_allclose(NormalScores().fit(values).transform(values), wanted, atol=1e-5)


def test_unseen_values_stay_within_bounds() -> None:
    fitted = NormalScores().fit(np.arange(500.0)[:, None])
    scores = fitted.transform(np.array([[-1e30], [249.5], [1e30]]))
    assert scores.dtype == np.float32
    assert scores[:, 0] == pytest.approx([-BOUND, 0, BOUND], abs=1e-6)


@pytest.mark.parametrize("rows", [1, 2, 30])
def test_constant_columns_become_zero(rows: int) -> None:
    values = np.column_stack([np.full(rows, 7.0), np.arange(rows)])
    fitted = NormalScores().fit(values)
    assert (fitted.transform(values + 1)[:, 0] == 0).all()
    assert fitted.varies_.tolist() == [False, rows > 1]
    assert np.isfinite(fitted.transform(values)).all()
