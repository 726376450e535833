"""Which runs are compared with which."""

from pathlib import Path

import pytest

from experiments.compare_heads import Run, by_pool
from prefillroute.errors import UserError


def test_two_runs_of_one_head_are_not_mixed_up() -> None:
    first, other = Run(Path("a"), "six", "shared_trunk"), Run(Path("b"), "six", "logistic")
    elsewhere = Run(Path("c"), "all", "shared_trunk")
    assert by_pool([first, other, elsewhere]) == {
        "six": {"shared_trunk": first, "logistic": other}, "all": {"shared_trunk": elsewhere},
    }  # fmt: skip
    with pytest.raises(UserError, match="d: a second run of head logistic on pool six, after b"):
        by_pool([first, other, Run(Path("d"), "six", "logistic")])
