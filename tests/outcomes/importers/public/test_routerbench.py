"""RouterBench: columns `model` and `model|field` in pickles of pandas, which are not trusted."""

import os
import pickle
import subprocess

import numpy as np
import pandas as pd
import pytest

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.public.pickled import read_frame

WIDE = pd.DataFrame(
    {
        "sample_id": ["mmlu-law.1", "mtbench.2"],
        "prompt": ["['Is it \\'legal\\'?\\nA) yes']", "['Write a poem.', 'Now shorter.']"],
        "eval_name": ["mmlu-law", "mtbench"],
        "gpt-4-1106-preview": [1.0, 0.9],
        "mistralai/mistral-7b-chat": ["False", "0.4"],
        "gpt-4-1106-preview|model_response": ["['A']", "['o']"],
        "mistralai/mistral-7b-chat|model_response": ["['B']", "['p']"],
        "gpt-4-1106-preview|total_cost": [0.01, 0.02],
        "mistralai/mistral-7b-chat|total_cost": [0.0001, None],
        "oracle_model_to_route_to": ["gpt-4-1106-preview"] * 2,
    }
)


@pytest.mark.parametrize("suffix", ["pkl", "parquet", "csv"])
def test_wide_table(tmp_path, imported, cells, suffix):
    file = tmp_path / f"routerbench_0shot.{suffix}"
    writers = {
        "pkl": WIDE.to_pickle,
        "parquet": WIDE.to_parquet,
        "csv": lambda path: WIDE.to_csv(path, index=False),
    }
    writers[suffix](file)
    collector, queries, outcomes = imported("routerbench", tmp_path, trust_pickle=suffix == "pkl")
    law, poem = "0shot/mmlu-law.1", "0shot/mtbench.2"
    assert cells(outcomes) == {
        (law, "gpt-4-1106-preview"): 1.0,
        (poem, "gpt-4-1106-preview"): 0.9,
        (law, "mistralai/mistral-7b-chat"): 0.0,
        (poem, "mistralai/mistral-7b-chat"): 0.4,
    }
    assert cells(outcomes, "cost_usd")[law, "mistralai/mistral-7b-chat"] == 0.0001
    assert np.isnan(cells(outcomes, "cost_usd")[poem, "mistralai/mistral-7b-chat"])
    prompts = queries.set_index("query_id")["prompt"]
    assert prompts[law] == "Is it 'legal'?\nA) yes"
    assert prompts[poem] == "Write a poem.\n\nNow shorter."
    assert queries["benchmark"].tolist() == ["mmlu-law", "mtbench"]
    assert collector.skipped == {}


def test_both_prompts_of_a_question_stay_together(tmp_path, imported):
    WIDE.to_parquet(tmp_path / "routerbench_0shot.parquet")
    WIDE.assign(prompt="Examples. " + WIDE["prompt"]).to_parquet(tmp_path / "routerbench_5shot.parquet")
    _, queries, outcomes = imported("routerbench", tmp_path)
    assert len(outcomes) == 8
    assert queries["near_dup_group"].tolist() == ["mmlu-law.1", "mtbench.2"] * 2


def test_raw_table(tmp_path, imported, cells):
    rows = [
        ("m.1", "['Hi']", "m", model, "['x']", score, 0.5)
        for model, score in (("a", 1.0), ("b", 0.0), ("b", 1.0))
    ]
    columns = ["sample_id", "prompt", "eval_name", "model_name", "model_response", "performance", "cost"]
    pd.DataFrame(rows, columns=columns).to_pickle(tmp_path / "routerbench_raw.pkl")
    collector, queries, outcomes = imported("routerbench-raw", tmp_path, trust_pickle=True)
    assert cells(outcomes) == {("m.1", "a"): 1.0, ("m.1", "b"): 0.5}
    assert queries["prompt"].tolist() == ["Hi"]
    assert collector.notes == [
        "2 rows repeat a query and target (up to 2 rows each) and became 1 soft labels, their means"
    ]


def test_a_pickle_is_refused_without_trust(tmp_path, imported):
    (tmp_path / "routerbench_0shot.pkl").write_bytes(pickle.dumps(Attack(tmp_path / "ran")))
    with pytest.raises(
        UserError,
        match=r"routerbench_0shot\.pkl: expected a file that cannot run a program, found a pickle; .*--trust-pickle",
    ):
        imported("routerbench", tmp_path)
    assert not (tmp_path / "ran").exists()


class Attack:
    """Makes a file when it is unpickled."""

    def __init__(self, file, function=os.system):
        self.file, self.function = file, function

    def __reduce__(self):
        return self.function, (f"touch {self.file}",)


class Open(Attack):
    def __reduce__(self):
        return open, (str(self.file), "w")


class Made:
    """What is pickled as a call and a state."""

    def __init__(self, *parts):
        self.parts = parts

    def __reduce__(self):
        return self.parts


RECONSTRUCT = np.array([1]).__reduce__()[0]
EMPTY = (np.ndarray, (0,), b"b")
NO_FLAGS = Made(np.dtype, ("O8", False, True), (3, "|", None, None, None, -1, -1, 0))
FIELDS = Made(np.dtype, ("V8", False, True), (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 27))


def attacks(file):
    """Pickles that make a file, by several ways."""
    frame = pd.DataFrame({"a": [Attack(file)]})
    dotted = b"\x80\x04\x8c\x06pandas\x8c\x11DataFrame.to_json\x93\x8c\x01x\x85R."
    return {
        "a command": pickle.dumps(Attack(file)),
        "a command of protocol 0": pickle.dumps(Attack(file), protocol=0),
        "a command in a cell": pickle.dumps(frame),
        "a process": pickle.dumps(Attack(file, subprocess.getoutput)),
        "a program": pickle.dumps(Attack(file, eval)),
        "a file": pickle.dumps(Open(file)),
        "another pickle": pickle.dumps(Attack(file, pickle.loads)),
        "pandas' own reader": pickle.dumps(Attack(file, pd.read_pickle)),
        "a method of an admitted class": dotted,
        "objects made of bytes": pickle.dumps(
            Made(RECONSTRUCT, EMPTY, (1, (1,), np.dtype("O"), False, b"01234567"))
        ),
        "a dtype that hides its objects": pickle.dumps(
            Made(RECONSTRUCT, EMPTY, (1, (1,), NO_FLAGS, False, b"01234567"))
        ),
        "a dtype with fields": pickle.dumps(
            Made(RECONSTRUCT, EMPTY, (1, (1,), FIELDS, False, [(b"01234567",)]))
        ),
        "an array over a buffer": pickle.dumps(
            Made(np.ndarray, ((1,), np.dtype("O"), bytearray(b"01234567")))
        ),
        "the state of a class": b"cpandas\nDataFrame\nN}Vto_json\nI1\ns\x86b.",
        "the state of a function": b"cpandas.core.indexes.base\n_new_Index\nN}V__doc__\nI1\ns\x86b.",
        "an encoding": b"c_codecs\nencode\n(Vx\nVbase64\ntR.",
    }


@pytest.mark.parametrize("name", attacks("x"))
def test_an_attack_is_refused_and_nothing_runs(tmp_path, imported, name):
    target = tmp_path / "ran"
    content = attacks(target)[name]
    (tmp_path / "routerbench_5shot.pkl").write_bytes(content)
    with pytest.raises(UserError) as caught:
        imported("routerbench", tmp_path, trust_pickle=True)
    assert "expected a pickle of nothing but a pandas table, found one that " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not target.exists()


def test_the_attack_would_work(tmp_path):
    """The test above can fail: an ordinary unpickler runs the command."""
    pickle.loads(attacks(tmp_path / "ran")["a command in a cell"])
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_tables_of_every_kind_come_back(tmp_path, protocol):
    kinds = WIDE.assign(
        whole=[1, 2],
        known=[True, False],
        either=pd.Series([np.float64(1), "x"], dtype=object),
        of=pd.Categorical(["a", "b"]),
    )
    for frame in (kinds, kinds.astype(object), kinds[kinds["whole"] > 1], kinds.iloc[:0]):
        file = tmp_path / "t.pkl"
        file.write_bytes(pickle.dumps(frame, protocol=protocol))
        pd.testing.assert_frame_equal(read_frame(file), frame)


def test_a_table_of_earlier_versions(tmp_path):
    """NumPy 1 and pandas 1 and 2 wrote other module names, and text as objects."""
    frame = pd.DataFrame({"score": [1.0, 0.5], "prompt": np.array(["p", "q"], dtype=object)})
    frame.columns = pd.Index(["score", "prompt"], dtype=object)
    content = pickle.dumps(frame.astype({"prompt": object}), protocol=2)
    for new, old in (
        (b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"),
        (b"cpandas\nDataFrame\n", b"cpandas.core.frame\nDataFrame\n"),
        (b"cpandas\nIndex\n", b"cpandas.core.indexes.base\nIndex\n"),
        (b"cpandas\nRangeIndex\n", b"cpandas.core.indexes.range\nRangeIndex\n"),
        (b"cpandas._libs.internals\n_unpickle_block\n", b"cpandas.core.internals.blocks\nnew_block\n"),
    ):
        assert new in content, new
        content = content.replace(new, old)
    file = tmp_path / "t.pkl"
    file.write_bytes(content)
    assert read_frame(file).to_numpy().tolist() == [[1.0, "p"], [0.5, "q"]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (pickle.dumps(WIDE)[:-40], "expected a whole pickle of a pandas table, found a damaged one"),
        (b"no pickle at all", "expected a whole pickle of a pandas table, found a damaged one"),
        (b"", "expected a whole pickle of a pandas table, found a damaged one"),
        (pickle.dumps({"a": [1]}), "expected a pickle of a pandas table, found dict"),
        (pickle.dumps(WIDE.iloc[:0]), "expected at least one row, found none"),
        (
            pickle.dumps(WIDE.drop(columns="mistralai/mistral-7b-chat")),
            "expected a column 'mistralai/mistral-7b-chat', found the columns sample_id",
        ),
        (
            pickle.dumps(WIDE[["prompt", "sample_id"]]),
            "expected a column '{model}|total_cost' of some model, found the columns prompt, sample_id",
        ),
    ],
)
def test_bad_pickles(tmp_path, imported, content, said):
    file = tmp_path / "routerbench_0shot.pkl"
    file.write_bytes(content)
    with pytest.raises(UserError) as caught:
        imported("routerbench", tmp_path, trust_pickle=True)
    assert str(caught.value).startswith(f"{file}: {said}")
