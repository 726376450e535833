"""Commands that cannot run here, checked as far as they can be: every option and key exists."""

import shlex
import subprocess
import sys
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser

from prefillroute.cli.main import make_parser
from prefillroute.config.compose import compose_run

CONFIGURED = ("extract", "embed", "perplexity", "collect")
PARSED = ("encoder", "import", "wandb-report")
"""Commands without a configuration, whose arguments are checked alone."""


def command_lines(text: str) -> list[list[str]]:
    """The commands of a shell block, a list of words each; comments and continued lines are resolved."""
    lines = text.replace("\\\n", " ").splitlines()
    split = (shlex.split(part, comments=True) for line in lines for part in line.split("&&"))
    return [words for words in split if words]


def compose(words: list[str], conf: Path) -> None:
    """Compose the configuration that a command names, once for every value of a sweep; look for a module."""
    if words[:2] in (["python", "train.py"], ["prefillroute", "train"]):
        overrides, name = words[2:], "config"
    elif words[0] == "prefillroute" and words[1] in CONFIGURED:
        overrides, name = words[2:], words[1]
    elif words[0] == "prefillroute" and words[1] in PARSED:
        make_parser()[0].parse_args(words[1:])
        return
    elif words[0] == "wandb":
        files = [word for word in words if word.endswith(".yaml")]
        assert all((conf.parent / file).is_file() for file in files), f"{shlex.join(words)}: no such file"
        return
    elif words[0] == "make":
        subprocess.run(["make", "--dry-run", *words[1:]], cwd=conf.parent, capture_output=True, check=True)
        return
    elif words[:2] == ["python", "-m"]:
        subprocess.run([sys.executable, "-m", words[2], "--help"], capture_output=True, check=True)
        return
    else:
        raise AssertionError(
            f"{shlex.join(words)}: nothing checks this command; let it run, or say how to compose it"
        )
    for choice in _choices([word for word in overrides if not word.startswith("-")]):
        compose_run(choice, config_name=name, conf=conf)


def _choices(overrides: list[str]) -> list[list[str]]:
    """Each value of each sweep once, with the first value of the others."""
    parsed = OverridesParser.create().parse_overrides(overrides)
    own = [found for found in parsed if not found.key_or_group.startswith("hydra.")]
    values = [
        list(found.sweep_string_iterator())
        if found.is_sweep_override()
        else [found.get_value_element_as_str()]
        for found in own
    ]
    first = [texts[0] for texts in values]
    choices = [first]
    for index, texts in enumerate(values):
        choices += [[*first[:index], text, *first[index + 1 :]] for text in texts[1:]]
    return [
        [f"{found.get_key_element()}={text}" for found, text in zip(own, choice, strict=True)]
        for choice in choices
    ]
