import numpy as np

from prefillroute.digest import digest


def test_a_digest_depends_on_facts_and_on_every_array() -> None:
    labels, folds = np.array([[1.0, np.nan]]), np.array([0])
    found = {
        digest({"seed": 0}, labels, folds),
        digest({"seed": 1}, labels, folds),
        digest({"seed": 0}, 1 - labels, folds),
        digest({"seed": 0}, labels, folds + 1),
        digest({"seed": 0}, labels.T, folds),
        digest({"seed": 0}, labels),
    }
    assert len(found) == 6
    assert digest({"seed": 0}, labels.copy(), folds.copy()) in found
