"""Files of public data sets: cut short, of other columns, pickles that run a program, and arenas in training."""

import json
import pickle
from collections.abc import Callable, Mapping

import pandas as pd

from experiments.badinput.case import Case
from experiments.badinput.damage import Prepare, both, cut, edited, written
from experiments.badinput.tables import content
from experiments.badinput.workspace import Workspace


class _Touch:
    """Makes a file `ran` where it is unpickled."""

    def __reduce__(self) -> tuple[Callable, tuple]:
        return eval, ("open('ran', 'w')",)


def imported(layout: str, *words: str) -> Callable[[Workspace], list[str]]:
    """`prefillroute import` of the folder `there`."""
    return lambda workspace: workspace.command("import", layout, "there", *words, "--out", "data/mine")


def _row(**cells: object) -> Mapping[str, object]:
    """Of EmbedLLM."""
    return {"prompt_id": 1, "model_id": 0, "category_id": 2, "label": 1, "prompt": "Why?"} | cells


def _csv(name: str, *rows: Mapping[str, object]) -> Prepare:
    return written(f"there/{name}", content(name, rows))


WIDE = pd.DataFrame(
    {"sample_id": ["a"], "prompt": ["['p']"], "eval_name": "x", "m": [1.0], "m|total_cost": [0.1]}
)
STRUCTS = pd.DataFrame({"prompt": ["p"], "dataset": "d", "m": [{"score": 1.0, "num_input_tokens": 5}]})
ARENA = {"global_index": "AIME_1", "question": "Q?", "evaluation_result": {"score": 1.0}}
RUN = "there/mmlu,model=m"
_arena = written("there/cached_results/m.jsonl", json.dumps(ARENA).encode())
_helm = both(
    written(f"{RUN}/per_instance_stats.json", b"[]"),
    written(f"{RUN}/instances.json", b"[]"),
    written(f"{RUN}/run_spec.json", b'{"name": "mmlu:model=m"}'),
)

CASES = (
    Case(
        "import: an empty folder under the name of a public data set",
        imported("embedllm"),
        r"there: expected files of embedllm .*found none",
        written("there/README.md", b"x"),
    ),
    Case(
        "import: EmbedLLM, a column missing",
        imported("embedllm"),
        r"there/train\.csv: expected a column 'label', found the columns prompt_id, .*prompt$",
        written("there/train.csv", b"prompt_id,model_id,category_id,prompt\n1,0,2,p\n"),
    ),
    Case(
        "import: EmbedLLM, no score is a score",
        imported("embedllm"),
        r"a score of column label that is none: 1, the first: there/train\.csv: row 1: label: expected .*'maybe'",
        _csv("train.csv", _row(label="maybe")),
    ),
    Case(
        "import: EmbedLLM, one score of several is none",
        imported("embedllm"),
        "1 queries, 1 targets, 1 outcomes",
        _csv("train.csv", _row(), _row(prompt_id=2, label=7)),
        status=0,
        also=(
            r"skipped 1: a score of column label that is none; first: there/train\.csv: row 2: label: .*found 7",
        ),
    ),
    Case(
        "import: EmbedLLM, a cell cut off",
        imported("embedllm"),
        r"there/train\.csv: row 1: expected CSV with both quotes",
        written("there/train.csv", b'prompt_id,model_id,category_id,label,prompt\n1,0,2,1,"p'),
    ),
    Case(
        "import: SPROUT cut short",
        imported("sprout"),
        r"there/test\.parquet: expected a whole Parquet file, found a damaged one",
        both(written("there/test.parquet", STRUCTS.to_parquet()), cut("there/test.parquet")),
    ),
    Case(
        "import: SPROUT without structs",
        imported("sprout"),
        r"there/test\.parquet: expected a column '\{model\}\.score' of some model, found the columns prompt, dataset",
        written("there/test.parquet", STRUCTS.drop(columns="m").to_parquet()),
    ),
    Case(
        "import: RouterBench without a word about pickles",
        imported("routerbench"),
        r"there/routerbench_0shot\.pkl: expected a file that cannot run a program, found a pickle; .*--trust-pickle",
        written("there/routerbench_0shot.pkl", pickle.dumps(WIDE)),
    ),
    Case(
        "import: RouterBench, a pickle that is trusted",
        imported("routerbench", "--trust-pickle"),
        "1 queries, 1 targets, 1 outcomes",
        written("there/routerbench_0shot.pkl", pickle.dumps(WIDE)),
        status=0,
    ),
    Case(
        "import: RouterBench, a pickle that runs a program",
        imported("routerbench", "--trust-pickle"),
        r"there/routerbench_0shot\.pkl: expected a pickle of nothing but a pandas table, found .* 'builtins\.eval'",
        written("there/routerbench_0shot.pkl", pickle.dumps(_Touch())),
    ),
    Case(
        "import: RouterBench, a pickle cut short",
        imported("routerbench", "--trust-pickle"),
        r"there/routerbench_0shot\.pkl: expected a whole pickle of a pandas table, found a damaged one",
        both(written("there/routerbench_0shot.pkl", pickle.dumps(WIDE)), cut("there/routerbench_0shot.pkl")),
    ),
    Case(
        "import: RouterArena, one model's file is damaged",
        imported("routerarena"),
        "1 queries, 1 targets, 1 outcomes",
        both(_arena, written("there/cached_results/a.jsonl", b'{"global_index": "AI')),
        status=0,
        also=(
            r"skipped 1: file that could not be read to its end .*a\.jsonl: row 1: expected one object per line",
        ),
    ),
    Case(
        "import: HELM without the model's name",
        imported("helm"),
        r"run_spec\.json: expected adapter_spec\.model, found no adapter_spec",
        _helm,
    ),
    Case(
        "import: lm-eval samples of a task that is not known",
        imported("open-llm-leaderboard"),
        r"samples_leaderboard_odd_.*\.jsonl: expected 'doc\.narrative .*, found the columns doc_id, doc, doc\.words",
        written(
            "there/org__m/samples_leaderboard_odd_2025-01-27T10-10-36.8.jsonl",
            b'{"doc_id": 0, "doc": {"words": "x"}, "acc": 1}',
        ),
    ),
    Case(
        "train: a query for evaluation only among those for training",
        lambda workspace: workspace.train(),
        r"queries\.parquet: row 1: split: expected test, as the query is marked evaluation_only, found 'train'",
        edited("queries.parquet", lambda frame: frame.assign(split="train", evaluation_only=True)),
    ),
    Case(
        "train: nothing but queries for evaluation",
        lambda workspace: workspace.train(),
        r"split: expected queries to train on, found .* for evaluation only .*; train on another pool",
        edited("queries.parquet", lambda frame: frame.assign(evaluation_only=True)),
    ),
)
