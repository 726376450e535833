"""The help of a Hydra application. Hydra itself is not imported: it needs longer than everything else here."""

from string import Template
from typing import Any

import yaml

from prefillroute.config.folders import conf_folders


def help_text(config_name: str) -> str:
    """What `--help` prints: `hydra.help.template` of a root file with the options of its groups.

    Args:
        config_name: the root file in `conf/`; the groups are those of its defaults list.
    """
    root: Any = yaml.safe_load((conf_folders()[0] / f"{config_name}.yaml").read_text(encoding="utf-8"))
    groups = {str(key) for entry in root["defaults"] if isinstance(entry, dict) for key in entry}
    lines = []
    for group in sorted(groups):
        if not group.startswith(("override ", "hydra/")):
            options = {path.stem for folder in conf_folders() for path in (folder / group).glob("*.yaml")}
            lines.append(f"{group}: {', '.join(sorted(options))}")
    template = Template(root["hydra"]["help"]["template"])
    return template.substitute(APP_CONFIG_GROUPS="\n".join(lines)).rstrip()
