"""What a run says that its options do not: the overrides that a command in a message has to repeat."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from prefillroute.config.compose import conf_dir

_PLAIN = re.compile(r"[\w./:@+-]+")
"""Values that Hydra reads without quotes."""


def given_overrides(config: DictConfig, groups: Sequence[str], conf: Path | None = None) -> list[str]:
    """Single values of fact groups that differ from their option's file, as overrides for a shell.

    Args:
        config: a composed run.
        groups: of facts, such as `encoder`; the option of `paths` is `default`, of all others their `name`.
        conf: folder of group files.

    Returns:
        `key=value` for each, quoted where a shell asks for it. Lists and mappings are left out.
    """
    said = []
    for group in groups:
        node = config[group]
        option = str(node.name) if "name" in node else "default"
        file = (conf or conf_dir()) / group / f"{option}.yaml"
        if not file.is_file():
            continue
        form = OmegaConf.get_type(node)
        written = OmegaConf.to_container(OmegaConf.merge(OmegaConf.structured(form), OmegaConf.load(file)))
        found = OmegaConf.to_container(node)
        assert isinstance(found, dict)
        assert isinstance(written, dict)
        for key, value in found.items():
            single = value is None or isinstance(value, str | int | float | bool)
            if single and value != written[key]:
                said.append(shlex.quote(f"{group}.{key}={_value(value)}"))
    return said


def _value(value: object) -> str:
    if value is None:
        return "null"
    text = str(value)
    if _PLAIN.fullmatch(text) or not isinstance(value, str):
        return text
    return "'" + text.replace("'", "\\'") + "'"
