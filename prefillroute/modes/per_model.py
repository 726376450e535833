"""A given encoder for each target (the paper's `per_model`: fixed assignments)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prefillroute.errors import UserError
from prefillroute.layers.choice import LayerChoice
from prefillroute.layers.contract import LayerChooser, ProbeTask
from prefillroute.modes.contract import Mode, Score, select_own
from prefillroute.text.hints import listed

MAP = "encoders of targets, such as {target: encoder}"


class PerModel(Mode):
    """Each encoder's layers are chosen for its own targets only, and the blocks stand side by side.

    `encoders` has those of the map first, in its order, and then the default, so that the first one is always read.
    A default that no target of the pool needs is not scored.

    Example:
        >>> PerModel({"gpt-5": "gpt_oss_20b", "kimi-k2": "gpt_oss_20b"}, default="qwen35_35b").encoders
        ('gpt_oss_20b', 'qwen35_35b')
    """

    def __init__(self, encoders: Mapping[str, str] | None = None, default: str | None = None) -> None:
        """`encoders` maps targets to encoders, `default` serves all other targets.

        Raises:
            UserError: `encoders` does not map targets to names, or no encoder is named.
        """
        if not isinstance(encoders, Mapping | None):
            raise UserError(f"mode.encoders: expected {MAP}, found {encoders!r}")
        self.of_target = {str(target): encoder for target, encoder in (encoders or {}).items()}
        self.default = default
        wrong = [target for target, encoder in self.of_target.items() if not isinstance(encoder, str)]
        if wrong:
            raise UserError(
                f"mode.encoders: expected the name of an encoder for target {listed(wrong[:1])}, "
                f"found {self.of_target[wrong[0]]!r}"
            )
        named = [*self.of_target.values(), *([] if default is None else [default])]
        if not named:
            raise UserError(f"mode.encoders: expected {MAP}, or mode.default for all targets, found neither")
        self.encoders = tuple(dict.fromkeys(named))

    def arguments(self) -> dict[str, Any]:
        """The constructor's `encoders` is the map; the attribute has the names."""
        return {"encoders": self.of_target, "default": self.default}

    def choose(self, chooser: LayerChooser, score: Score, task: ProbeTask) -> LayerChoice:
        """Score each encoder for its own targets, select its blocks, and join the choices.

        Raises:
            UserError: the map names a target that the pool does not have, a target has no encoder, or no block can be
                selected for the targets of an encoder.
        """
        unknown = [target for target in self.of_target if target not in task.targets]
        if unknown:
            raise UserError(
                f"mode.encoders: expected targets of the pool, {listed(task.targets)}, found {listed(unknown)}"
            )
        own: dict[str | None, list[str]] = {}
        for target in task.targets:
            own.setdefault(self.of_target.get(target, self.default), []).append(target)
        if None in own:
            raise UserError(
                f"mode.default: expected an encoder for the targets that mode.encoders does not name, "
                f"{listed(own[None])}, found null"
            )
        joined = LayerChoice.join(
            [
                select_own(chooser, score(encoder, task.only(own[encoder])))
                for encoder in self.encoders
                if encoder in own
            ]
        )
        return replace(
            joined,
            per_target={target: joined.per_target[target] for target in task.targets},
            unscored=tuple(target for target in task.targets if target in joined.unscored),
        )
