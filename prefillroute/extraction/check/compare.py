"""An encoder's facts beside what its own files say, one row per fact."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers
from transformers import AutoTokenizer

from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.backends.capture import find_blocks
from prefillroute.extraction.causality import require_causal
from prefillroute.extraction.check.files import find_files
from prefillroute.extraction.check.model import (
    ModelOnPaper,
    active_parameters,
    kv_numbers,
    parameters,
    read_model,
    stored_bytes,
    weights_kind,
)
from prefillroute.extraction.check.template import effective, unset_switches
from prefillroute.extraction.prompts import PromptEncoder
from prefillroute.extraction.request import ReadRequest
from prefillroute.pretrained.loading import pretrained

SAME, KNOWN, DIFFERS, NOT_STATED, NOT_CHECKED = "same", "known", "differs", "not stated", "not checked"
"""Verdicts; only `differs` is a fault."""
PARAMS_TOLERANCE = 0.1
"""Makers round the parameters in a name, and count the output layer and a vision tower, or not."""
ACTIVE_TOLERANCE = 0.2
"""Makers also differ in whether a token passes through embeddings and output layer."""
BYTES_TOLERANCE = 0.05


@dataclass(frozen=True)
class Row:
    """One fact."""

    fact: str
    """Key in the encoder's YAML; `class` is none of them."""
    stated: Any
    """Value in the YAML; None if it has none."""
    found: Any
    """What the files say; None if they do not."""
    source: str
    verdict: str
    note: str = ""
    """What to do, or why it was not checked."""


@dataclass(frozen=True)
class Checked:
    """An encoder with all its rows."""

    encoder: str
    place: str
    """Where its files are."""
    rows: tuple[Row, ...]

    @property
    def differing(self) -> list[str]:
        """Facts that are wrong."""
        return [row.fact for row in self.rows if row.verdict == DIFFERS]


def check_encoder(facts: EncoderConfig, option: str, folder: Path | None = None) -> Checked:
    """Compare an encoder's facts with its configuration, tokenizer and table of weights, without loading weights.

    Args:
        facts: of the encoder.
        option: name of its YAML.
        folder: a folder with the model's files, in place of what the facts name.

    Raises:
        NotReadError: the files are not at hand.
        UserError: they are damaged.
    """
    what = f"encoder {facts.name}"
    files = find_files(facts, folder)
    model = read_model(files, what)
    rows = [
        *own_rows(facts, option),
        _class_row(model, what),
        _exact("num_layers", facts.num_layers, model.number("num_hidden_layers"), model.source),
        _exact("hidden_size", facts.hidden_size, model.number("hidden_size"), model.source),
        _exact("context_length", facts.context_length, model.number("max_position_embeddings"), model.source),
        _exact("kv_numbers", facts.kv_numbers, kv_numbers(model), model.source),
        *_size_rows(facts, model),
        *_prompt_rows(facts, model, what),
    ]
    return Checked(facts.name, files.place, tuple(rows))


def own_rows(facts: EncoderConfig, option: str) -> list[Row]:
    """What can be said of the facts alone: the faults among them, one row each; none if they agree.

    Args:
        facts: of the encoder.
        option: name of its YAML.
    """
    rows = []
    if facts.name != option:
        rows.append(
            Row("name", facts.name, option, "file name", DIFFERS, "caches take this name: give the file's")
        )
    for key in ("num_layers", "hidden_size", "context_length", "params_b"):
        if not getattr(facts, key) > 0:
            rows.append(Row(key, getattr(facts, key), "more than 0", "its meaning", DIFFERS))
    if facts.active_b is not None and not 0 < facts.active_b <= facts.params_b:
        rows.append(Row("active_b", facts.active_b, f"at most {facts.params_b:g}", "params_b", DIFFERS))
    if (facts.repo is None) == (facts.wheel is None):
        found = "neither" if facts.repo is None else "both"
        rows.append(Row("repo", facts.repo, found, "repo, wheel", DIFFERS, "give one of the two"))
    return rows


def _class_row(model: ModelOnPaper, what: str) -> Row:
    """Which class transformers builds, and whether extraction can read it."""
    library = f"transformers {transformers.__version__}"
    if model.body is None:
        kind = getattr(model.text, "model_type", None) or "no model_type"
        note = "a newer transformers may know it; extraction=vllm may, too"
        return Row("class", None, f"unknown ({kind})", library, DIFFERS, note)
    try:
        require_causal(model.body, what)
        find_blocks(model.body, model.body.config.num_hidden_layers)
    except UserError as error:
        return Row("class", None, model.class_name, library, DIFFERS, str(error))
    return Row("class", None, model.class_name, library, KNOWN)


def _exact(fact: str, stated: int | None, found: int | None, source: str) -> Row:
    if found is None:
        return Row(
            fact, stated, None, source, NOT_CHECKED, "the configuration does not say it in the usual words"
        )
    if stated is None:
        return Row(fact, None, found, source, NOT_STATED)
    return Row(fact, stated, found, source, SAME if stated == found else DIFFERS)


def _near(fact: str, stated: float, found: float | None, source: str, tolerance: float) -> Row:
    if found is None:
        return Row(fact, stated, None, source, NOT_CHECKED, "no file at hand says it")
    near = abs(found - stated) <= tolerance * stated
    return Row(fact, stated, float(f"{found:.3g}"), f"{source}, ± {tolerance:.0%}", SAME if near else DIFFERS)


def _size_rows(facts: EncoderConfig, model: ModelOnPaper) -> Iterator[Row]:
    counts, source = parameters(model, facts.weights)
    # Of the counts with and without the output layer, the one that the maker may have meant.
    meant = min(counts, key=lambda count: abs(count / 1e9 - facts.params_b), default=None)
    yield _near("params_b", facts.params_b, None if meant is None else meant / 1e9, source, PARAMS_TOLERANCE)
    active = active_parameters(model)
    if active is not None and facts.active_b is None:
        yield Row("active_b", None, float(f"{active / 1e9:.2g}"), "built without weights", NOT_STATED)
    elif active is not None and facts.active_b is not None:
        yield _near("active_b", facts.active_b, active / 1e9, "built without weights", ACTIVE_TOLERANCE)
    elif facts.active_b is not None and model.body is not None:
        note = "the model has no experts: every token passes through all parameters"
        yield Row("active_b", facts.active_b, None, "built without weights", DIFFERS, note)
    kind, source = weights_kind(model)
    yield Row("weights", facts.weights, kind, source, SAME if facts.weights == kind else DIFFERS)
    if facts.weights_gb is not None:
        size = stored_bytes(model)
        yield _near(
            "weights_gb",
            facts.weights_gb,
            None if size is None else size / 1e9,
            "size of the weights",
            BYTES_TOLERANCE,
        )


def _prompt_rows(facts: EncoderConfig, model: ModelOnPaper, what: str) -> Iterator[Row]:
    files, source = model.files, "tokenizer"
    if files.gguf_file is None and not any(files.folder.glob("tokenizer*")):
        yield Row(
            "prompt_format", facts.prompt_format, None, source, NOT_CHECKED, f"{files.place} has no tokenizer"
        )
        return
    try:
        tokenizer = pretrained(AutoTokenizer, what, str(files.folder), gguf_file=files.gguf_file)
        has = bool(getattr(tokenizer, "chat_template", None))
        chosen = facts.prompt_format or ("chat" if has else "plain")
        PromptEncoder(
            tokenizer,
            prompt_format=chosen,
            chat_template_kwargs=facts.chat_template_kwargs,
            max_length=min(ReadRequest().max_length, facts.context_length),
            encoder=facts.name,
        )
    except UserError as error:
        yield Row("prompt_format", facts.prompt_format, None, source, DIFFERS, str(error))
        return
    given = facts.chat_template_kwargs
    switches = unset_switches(tokenizer, given) if chosen == "chat" else []
    note = f"the template also reads {', '.join(switches)}: see chat_template_kwargs" if switches else ""
    found = "a chat template" if has else "no chat template"
    yield Row("prompt_format", facts.prompt_format, found, source, SAME, note)
    for name, value in given.items():
        if chosen == "chat" and effective(tokenizer, given, name):
            yield Row(f"chat_template_kwargs.{name}", value, "changes the prompt", source, SAME)
        else:
            note = (
                "the template does not read it"
                if chosen == "chat"
                else "prompt_format=plain uses no template"
            )
            yield Row(f"chat_template_kwargs.{name}", value, "changes nothing", source, DIFFERS, note)
