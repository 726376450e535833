import numpy as np
import pytest

from prefillroute.signals.text import TextSignal
from tests.signals.toy import Queries, fit

SUBJECTS = ("the committee", "a photon", "x = 3", "no manager", "every (closed) set")
PROMPTS = np.array(
    [
        f"What does {SUBJECTS[i % 5]} do{' not' * (i % 3)}, {i * i}?"
        + "\n\nA. nothing\nB. something else" * (i % 4)
        for i in range(40)
    ],
    dtype=object,
)
MASKS = np.stack([np.arange(40) < 35, np.arange(40) < 25, (np.arange(40) < 35) & (np.arange(40) % 3 != 1)])


def inputs(prompts: np.ndarray) -> Queries:
    return Queries(prompts=prompts)


def test_features_are_finite_and_bounded() -> None:
    features = fit(TextSignal(), inputs(PROMPTS), MASKS)
    assert features.shape == (3, 40, 30)
    assert features.dtype == np.float32
    assert (np.abs(features) <= 3).all()
    assert (features[0].std(0) > 0.1).sum() > 20


def test_new_queries_get_group_zero() -> None:
    signal = TextSignal()
    features = fit(signal, inputs(PROMPTS), MASKS)
    np.testing.assert_array_equal(
        signal.transform(inputs(PROMPTS[[4, 17, 38]]).readings), features[0, [4, 17, 38]]
    )
    assert not np.array_equal(features[0], features[1])


@pytest.mark.parametrize("group", range(3))
def test_a_group_sees_its_own_rows_only(group: int) -> None:
    changed = PROMPTS.copy()
    changed[~MASKS[group]] = [f"({i}) completely different! " * 9 for i in range((~MASKS[group]).sum())]
    before = fit(TextSignal(), inputs(PROMPTS), MASKS)
    after = fit(TextSignal(), inputs(changed), MASKS)
    np.testing.assert_array_equal(after[group, MASKS[group]], before[group, MASKS[group]])
    others = [other for other in range(3) if (MASKS[other] & ~MASKS[group]).any()]
    assert all(not np.array_equal(after[other], before[other]) for other in others)
