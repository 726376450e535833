from collections.abc import Callable

import pytest

from tests.layers.toys import Toy, build_toy


@pytest.fixture
def make_toy() -> Callable[..., Toy]:
    """Builder of a toy encoder and a task; arguments as for `build_toy`."""
    return build_toy
