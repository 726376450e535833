"""Groups that the chosen predictor does not read."""

import pytest

from prefillroute.config.compose import compose_run
from prefillroute.config.unread import unread_groups

SEMANTIC = ["encoder", "pooling", "layers", "mode"]


@pytest.mark.parametrize(
    ("overrides", "unread"),
    [
        ([], ["embedder", "language_model"]),
        (["signal=category"], ["encoder", "embedder", "language_model", "pooling", "layers", "mode"]),
        (["signal=knn"], ["encoder", "language_model", "pooling", "layers", "mode"]),
        (["signal=semantic"], SEMANTIC),
        (["signal=prefill_embedding"], ["language_model"]),
        (["predictor=blend"], ["language_model", "signal", "head"]),
        (["layers.poolings=[last]"], ["embedder", "language_model", "pooling"]),
        (
            ["mode=fusion", "mode.encoders=[qwen35_08b,smollm2_135m]"],
            ["encoder", "embedder", "language_model"],
        ),
    ],
)
def test_what_no_part_names_is_not_read(overrides: list[str], unread: list[str]) -> None:
    assert unread_groups(compose_run(overrides)) == unread
