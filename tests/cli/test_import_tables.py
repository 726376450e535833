"""`prefillroute import csv` from the file to a pool that composes."""

import gzip
import shlex

import pytest
from omegaconf import OmegaConf

from prefillroute.cli.main import main
from prefillroute.config.facts import PoolConfig
from prefillroute.errors import UserError
from prefillroute.outcomes.files import read_outcomes
from prefillroute.outcomes.importers.skeleton import pool_skeleton
from prefillroute.outcomes.pool import load_pool
from prefillroute.text import hints

LOG = "prompt,target,correct,prompt_tokens,completion_tokens\n" + "".join(
    f"What is {number}+{number}?,{target},{(number + index) % 2},9,4\n"
    for number in range(12)
    for index, target in enumerate(("a", "b"))
)


@pytest.mark.parametrize("out", ["elsewhere/mine", "data/my pool", "data/2024", "data/on"])
def test_the_hint_of_a_skeleton_makes_its_table_again(tmp_path, monkeypatch, capsys, out):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my log.csv.gz").write_bytes(
        gzip.compress(LOG.replace("prompt,", "the question,").encode("cp1252"))
    )
    options = ["--column", "prompt=the question", "--encoding", "cp1252", "--repeats", "mean"]
    assert main(["import", "csv", "my log.csv.gz", "--out", out, *options]) == 0
    text = (tmp_path / out / "pool.yaml").read_text(encoding="utf-8")
    filled = text.replace("price_in: null, price_out: null", "price_in: 1, price_out: 2")
    form = {
        "paths": {"data": "data"},
        "pool": OmegaConf.merge(OmegaConf.structured(PoolConfig), OmegaConf.create(filled)),
    }
    pool = OmegaConf.create(form).pool
    assert pool.name == out.split("/")[1]
    assert pool.outcomes == out
    targets, before = load_pool(OmegaConf.to_object(pool).targets, pool.outcomes)
    assert [(target.name, target.price_in) for target in targets] == [("a", 1), ("b", 1)]
    for file in (tmp_path / out).iterdir():
        file.unlink()
    with pytest.raises(UserError, match=r"make it with: prefillroute import csv 'my log\.csv\.gz'"):
        read_outcomes(pool.outcomes, import_hint=pool.import_hint)
    assert main(shlex.split(pool.import_hint)[1:]) == 0
    assert read_outcomes(pool.outcomes).correct.tolist() == before.correct.tolist()
    assert (
        f"next: complete {out}/pool.yaml and copy it to conf/pool/{pool.name}.yaml" in capsys.readouterr().out
    )


def test_prices_that_were_filled_in_stay(tmp_path, capsys):
    (tmp_path / "log.csv").write_text(LOG)
    command = ["import", "csv", str(tmp_path / "log.csv"), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    skeleton = tmp_path / "out" / "pool.yaml"
    filled = skeleton.read_text().replace("price_in: null", "price_in: 1")
    skeleton.write_text(filled)
    assert main(command) == 0
    assert skeleton.read_text() == filled
    assert "has prices and stays as it is; delete it to get a new one" in capsys.readouterr().out
    assert (
        pool_skeleton(
            tmp_path / "out", ["a", "b"], hints.command("prefillroute", *command), ("completion_tokens",)
        ).replace("price_in: null", "price_in: 1")
        == filled
    )


def test_a_file_that_is_named_twice_is_read_once(tmp_path, capsys):
    (tmp_path / "log.csv").write_text(LOG)
    paths = [str(tmp_path), str(tmp_path / "log.csv")]
    assert main(["import", "csv", *paths, "--out", str(tmp_path / "out")]) == 0
    assert (
        main(["import", "csv", *paths, "--out", str(tmp_path / "out")]) == 0
    )  # the outcome folder is no log
    printed = capsys.readouterr().out
    assert "12 queries, 2 targets, 24 outcomes" in printed
    assert (
        "left out out/outcomes.parquet, out/pool.yaml, out/queries.parquet: in an outcome folder" in printed
    )


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        (
            "log.jsonl",
            '{"prompt":"cut emoji \\ud83d","target":"a","correct":1}',
            [],
            "row 1: prompt: expected whole characters, found half of one",
        ),
        ("log.csv", "prompt,target,correct\np,a,1\np,a,0\n", [], "row 2: expected one outcome of target 'a'"),
        (
            "log.csv",
            "prompt,target,correct\np,a,1\n",
            ["--encoding", "klingon"],
            "--encoding: expected an encoding, for instance utf-8, utf-16, cp1252 or latin-1, found klingon",
        ),
        ("log.csv", "prompt,target,correct\np,a,1\n", ["--repeats", "sum"], "invalid choice: 'sum'"),
        ("log.xlsx", "x", [], "log.xlsx: expected one of .csv"),
        (
            "log.csv",
            "question,model\np,a\n",
            [],
            "expected the columns 'prompt', 'target', 'correct', found question, model",
        ),
    ],
)
def test_bad_files_end_in_one_line_and_leave_nothing(tmp_path, capsys, name, content, options, message):
    (tmp_path / name).write_text(content)
    assert main(["import", "csv", str(tmp_path / name), "--out", str(tmp_path / "out"), *options]) == 1
    printed = capsys.readouterr().err.strip()
    assert message in printed
    assert "\n" not in printed
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        (
            "csv",
            [
                "prompt             text",
                "correct            number",
                "cost_usd",
                "near_dup_group",
                "split",
                "--repeats",
            ],
        ),
        ("csv", ["What is 2 + 2?,small-model,1,12,5,0.00001", "What is 2 + 2?,large-model,1,12,48,0.0009"]),
        ("routellm", ["<model>_response", "What is 2 + 2?,True,True"]),
        ("llmrouterbench", ["origin_query", "completion_tokens"]),
        ("mmlu-pro", ["question_id, question, options, answer, category"]),
        ("inspect", ["<task>/<sample id>"]),
    ],
)
def test_help_names_the_columns(capsys, layout, said):
    with pytest.raises(SystemExit) as ended:
        main(["import", layout, "--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    for text in said:
        assert text in printed


def test_the_example_of_the_help_is_imported(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["import", "csv", "--help"])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    start = lines.index("prompt,target,correct,prompt_tokens,completion_tokens,cost_usd")
    (tmp_path / "log.csv").write_text("\n".join(lines[start : start + 3]) + "\n")
    assert main(["import", "csv", str(tmp_path / "log.csv"), "--out", str(tmp_path / "out")]) == 0
    table = read_outcomes(tmp_path / "out")
    assert (table.targets, table.cost_usd.tolist()) == (("small-model", "large-model"), [[0.00001, 0.0009]])
