"""Values that no key can mean."""

import math
from typing import Any

from omegaconf import DictConfig, OmegaConf

from prefillroute.errors import UserError


def check_numbers(config: DictConfig) -> None:
    """Refuse NaN wherever it stands: every comparison with it is false, so that it passes for any number.

    Raises:
        UserError: naming the key.
    """
    _check("", OmegaConf.to_container(config, resolve=False))


def _check(key: str, value: Any) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            _check(f"{key}.{name}" if key else str(name), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(f"{key}[{index}]", item)
    elif isinstance(value, float) and math.isnan(value):
        raise UserError(f"{key}: expected a number, found nan")
