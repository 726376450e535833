"""Whether an encoder's prompt format and template arguments fit the chat template that its tokenizer has."""

from collections.abc import Mapping
from typing import Any

from jinja2 import TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

QUESTION = [{"role": "user", "content": "Why?"}]


def effective(tokenizer: Any, given: Mapping[str, Any], name: str) -> bool:
    """Whether an argument changes what the chat template makes of a question.

    Args:
        tokenizer: a tokenizer with a chat template.
        given: all arguments.
        name: one of them; it is compared with another value, and with its absence.

    Example:
        >>> class Echo:
        ...     def apply_chat_template(self, messages, think=False, **others):
        ...         return f"Why?{think}"
        >>> effective(Echo(), {"think": True, "thinks": True}, "think")
        True
        >>> effective(Echo(), {"think": True, "thinks": True}, "thinks")
        False
    """
    without = {key: value for key, value in given.items() if key != name}
    value = given[name]
    other = not value if isinstance(value, bool) else f"not {value}"
    own = _rendered(tokenizer, given)
    return any(_rendered(tokenizer, arguments) != own for arguments in (without, {**without, name: other}))


def unset_switches(tokenizer: Any, given: Mapping[str, Any]) -> list[str]:
    """Names that the chat template reads, that are not given, and that change a question's prompt if true or false."""
    try:
        tree = ImmutableSandboxedEnvironment(extensions=["jinja2.ext.loopcontrols"]).parse(
            tokenizer.get_chat_template()
        )
    except TemplateSyntaxError:  # it has tags of transformers' own
        return []
    own = _rendered(tokenizer, given)
    names = sorted(meta.find_undeclared_variables(tree) - set(given))
    return [
        name
        for name in names
        if not name.endswith("_token")  # the tokenizer gives these
        and any(_rendered(tokenizer, {**given, name: value}) not in (own, None) for value in (False, True))
    ]


def _rendered(tokenizer: Any, arguments: Mapping[str, Any]) -> str | None:
    """A question's prompt; None if the template cannot take these arguments."""
    try:
        return str(
            tokenizer.apply_chat_template(QUESTION, add_generation_prompt=True, tokenize=False, **arguments)
        )
    except Exception:  # a template is a program and may raise anything
        return None
