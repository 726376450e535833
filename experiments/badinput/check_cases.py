"""Facts that are wrong, and files that cannot be read, met by `prefillroute encoder check` and `pool check`."""

import json
from collections.abc import Callable

from experiments.badinput import toy
from experiments.badinput.case import Case
from experiments.badinput.damage import Prepare, both, cut, edited, replaced, written
from experiments.badinput.tables import own_pool
from experiments.badinput.workspace import Workspace

ENCODER = {
    "name": "mine", "repo": "encoder", "num_layers": toy.NUM_LAYERS, "hidden_size": toy.HIDDEN_SIZE,
    "context_length": toy.CONTEXT_LENGTH, "params_b": 8.9e-6,
}  # fmt: skip
"""True of the toy encoder."""
POOL = {
    "name": "mine", "outcomes": "data/tiny", "import_hint": "make it", "correct_threshold": 0.5,
    "targets": [
        {"name": name, "price_in": low, "price_out": high, "price_date": "list, 2099-01"}
        for name, (low, high) in toy.TARGETS.items()
    ],
}  # fmt: skip


def _encoder(**changes: object) -> Prepare:
    return written("conf/encoder/mine.yaml", json.dumps(ENCODER | changes).encode())


def _pool(**changes: object) -> Prepare:
    return written("conf/pool/mine.yaml", json.dumps(POOL | changes).encode())


def _checked(kind: str, *words: str) -> Callable[[Workspace], list[str]]:
    return lambda workspace: workspace.command(kind, "check", *(words or ("mine",)))


def _encoder_case(name: str, wanted: str, prepare: Prepare, status: int = 1, *words: str) -> Case:
    return Case(f"encoder check: {name}", _checked("encoder", *words), wanted, prepare, status=status)


def _pool_case(name: str, wanted: str, prepare: Prepare, status: int = 1, also: tuple[str, ...] = ()) -> Case:
    return Case(f"pool check: {name}", _checked("pool"), wanted, prepare, status=status, also=also)


CASES = (
    _encoder_case("facts that are true (works)", "^num_layers +2 +2 +config.json +same", _encoder(), 0),
    _encoder_case("a wrong number of blocks", r"1 that differ: mine\.num_layers;", _encoder(num_layers=3)),
    _encoder_case(
        "a word for a number", "conf/encoder/mine.yaml.*num_layers|many", _encoder(num_layers="many")
    ),
    _encoder_case("unknown name", "encoder: expected an option among .*found 'mime'", _encoder(), 1, "mime"),
    _encoder_case("no name", "expected names of encoders or --all, found neither", _encoder(), 1, "--json"),
    _encoder_case(
        "config.json cut short",
        r"encoder/config\.json: expected encoder mine's config\.json in JSON",
        both(_encoder(), cut("encoder/config.json")),
    ),
    _encoder_case(
        "config.json with a list",
        r"encoder/config\.json: .* with keys and values, found list",
        both(_encoder(), written("encoder/config.json", b"[1, 2]")),
    ),
    _encoder_case(
        "config.json with no heads",
        "encoder mine: expected .*by zero",
        both(
            _encoder(),
            replaced("encoder/config.json", '"num_attention_heads": 2', '"num_attention_heads": 0'),
        ),
    ),
    _encoder_case(
        "a tokenizer cut short", r"mine\.prompt_format", both(_encoder(), cut("encoder/tokenizer.json"))
    ),
    _encoder_case(
        "a model that transformers does not know",
        r"that differ: mine\.class",
        both(_encoder(), replaced("encoder/config.json", '"model_type": "llama"', '"model_type": "llama9"')),
    ),
    _encoder_case(
        "weights that are damaged (works)", "^class ", both(_encoder(), cut("encoder/*.safetensors")), 0
    ),
    Case(
        "encoder check: the hub is not reached",
        _checked("encoder", "qwen35_08b"),
        "found none of qwen35_08b",
        also=(r"^not read: qwen35_08b: .*found http://127\.0\.0\.1:9 not reached; .*--folder FOLDER$",),
    ),
    _encoder_case(
        "a folder that is not there", "--folder: .*nowhere", _encoder(), 1, "mine", "--folder", "nowhere"
    ),
    _pool_case("prices of the future (works)", r"^warning +price dates: in the future: small", _pool(), 0),
    _pool_case(
        "scores above 1",
        r"found 1, the first of them in mine: 480 of 480 scores are outside \[0, 1\]",
        both(_pool(), edited("outcomes.parquet", lambda frame: frame.assign(correct=2.0))),
        also=(r"^-> rescale `correct`",),
    ),
    _pool_case(
        "outcomes cut short",
        r"mine: .*outcomes\.parquet: expected a whole Parquet file",
        both(_pool(), cut("data/tiny/outcomes.parquet")),
    ),
    _pool_case(
        "no outcome table (works)",
        r"^note +table: .*has no outcome table",
        _pool(outcomes="data/nowhere"),
        0,
        (r"^-> make it with: make it$",),
    ),
    _pool_case("no YAML", r"conf/pool/mine\.yaml|mine", written("conf/pool/mine.yaml", b"name: [")),
    Case("pool check: unknown pool", _checked("pool", "mmlu"), "mmlu_pro"),
    Case(
        "pool check: names with markup, as they are (works)",
        _checked("pool"),
        r"targets: o3\[high\] and claude\[/think\]|share a price .*: 2 at 1/2",
        own_pool("mine", ("o3[high]", "claude[/think]")),
        status=0,
    ),
)
