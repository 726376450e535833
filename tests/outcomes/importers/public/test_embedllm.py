"""EmbedLLM: a long table whose file is the part of the data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefillroute.errors import UserError
from prefillroute.outcomes.files import read_outcomes, write_outcomes

HEADER = "prompt_id,model_id,category_id,label,prompt,model_name,category\n"


def test_files_are_parts_and_repeats_are_means(tmp_path, imported, cells):
    (tmp_path / "train.csv").write_text(
        f"{HEADER}7,0,3,1,What is 1 + 1?,phi,mmlu\n7,1,3,0,What is 1 + 1?,yi,mmlu\n"
        "7,0,3,1,What is 1 + 1?,phi,mmlu\n7,0,3,0,What is 1 + 1?,phi,mmlu\n"
        '8,0,4,0,"A, or ""B""?\nSay one.",phi,piqa\n'
    )
    (tmp_path / "val.csv").write_text(f"{HEADER}9,1,3,1,Why?,yi,mmlu\n")
    (tmp_path / "test.csv").write_text(f"{HEADER}10,1,3,1,What is  1 + 1?,yi,mmlu\n")
    (tmp_path / "model_order.csv").write_text("model_id,model_name\n0,phi\n")
    collector, queries, outcomes = imported("embedllm", tmp_path)
    assert cells(outcomes) == {
        ("7", "phi"): pytest.approx(2 / 3),  # not 1, the greatest of the three
        ("7", "yi"): 0,
        ("8", "phi"): 0,
        ("9", "yi"): 1,
        ("10", "yi"): 1,
    }
    found = queries.set_index("query_id")
    assert found["prompt"]["8"] == 'A, or "B"?\nSay one.'
    assert found["category"].to_dict() == {"7": "mmlu", "8": "piqa", "9": "mmlu", "10": "mmlu"}
    # 7 asks what 10 asks, which the owners have in the test part: duplicates stay together.
    assert found["split"].to_dict() == {"7": "test", "8": "train", "9": "calibration", "10": "test"}
    assert collector.notes == [
        "3 rows repeat a query and target (up to 3 rows each) and became 1 soft labels, their means",
        "1 queries have the prompt of a query in a later part (train, calibration, test) and moved there: duplicates "
        "stay together",
    ]
    assert collector.skipped == {}
    write_outcomes(tmp_path / "out", queries, outcomes)
    assert read_outcomes(tmp_path / "out").correct.shape == (4, 2)


def test_numbers_stand_for_names_that_a_file_lacks_and_one_part_is_no_split(tmp_path, imported, cells):
    (tmp_path / "train.csv").write_text(
        "prompt_id,model_id,category_id,label,prompt\n1,12,3,1,p\n2,12,3,0,q\n"
    )
    collector, queries, outcomes = imported("embedllm", tmp_path)
    assert cells(outcomes) == {("1", "12"): 1, ("2", "12"): 0}
    assert "split" not in queries
    assert collector.notes == ["no column split is written: expected every part, found train"]


def test_what_cannot_be_read_is_counted_with_its_place(tmp_path, imported, cells):
    file = tmp_path / "test.csv"
    file.write_text(
        "prompt_id,model_id,category_id,label,prompt\n1,a,0,7,p\n1,b,0,1,p\n2,b,0,,q\n3,b,0,1, \n4,,0,1,r\n"
    )
    collector, _, outcomes = imported("embedllm", tmp_path)
    assert cells(outcomes) == {("1", "b"): 1}
    assert {reason: (entry.count, entry.example) for reason, entry in collector.skipped.items()} == {
        "a score of column label that is none": (
            1,
            f"{file}: row 1: label: expected a number in [0, 1], true or false, a percentage such as 50%, or an empty "
            "cell, found 7",
        ),
        "record without query text": (1, f"{file}: row 4"),
        "record without a target": (1, f"{file}: row 5"),
        "record without a score": (1, f"{file}: row 3"),
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "prompt_id,model_id,label\n1,a,1\n",
            "expected a column 'prompt', found the columns prompt_id, model_id, label",
        ),
        (
            "prompt_id,prompt,label\n1,p,1\n",
            "expected a column 'model_name' or 'model_id', found the columns",
        ),
        ("prompt_id,prompt,model_id\n1,p,1\n", "expected a column 'label', found the columns"),
        ('prompt_id,model_id,label,prompt\n1,a,1,"cut of', "row 1: expected CSV with both quotes"),
        ("", "expected a header line and rows, found an empty file"),
    ],
)
def test_a_bad_file_of_a_part_ends_the_import(tmp_path, imported, content, said):
    (tmp_path / "train.csv").write_text(f"{HEADER}7,0,3,1,p,phi,mmlu\n")
    (tmp_path / "val.csv").write_text(content)
    with pytest.raises(UserError) as caught:
        imported("embedllm", tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'val.csv'}: {said}")


labels = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.integers(0, 1)), min_size=1, max_size=30
)


@settings(max_examples=25, deadline=None)
@given(rows=labels)
def test_any_table_agrees_with_pandas(tmp_path_factory, imported, rows):
    folder = tmp_path_factory.mktemp("any")
    table = pd.DataFrame(rows, columns=["prompt_id", "model_name", "label"])
    table["prompt"] = table["prompt_id"].map("What is {}?".format)
    table.to_csv(folder / "train.csv", index=False)
    _, _, outcomes = imported("embedllm", folder)
    expected = table.groupby([table["prompt_id"].astype(str), "model_name"])["label"].mean()
    found = outcomes.set_index(["query_id", "target"])["correct"]
    assert len(found) == len(expected)
    np.testing.assert_allclose(found.loc[list(expected.index)], expected)
