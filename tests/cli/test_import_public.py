"""Public data sets through the command line: help, skeleton, and what stays when a file is damaged."""

import pandas as pd
import pytest
import yaml
from omegaconf import OmegaConf

from prefillroute.cli.main import main
from prefillroute.config.facts import PoolConfig
from prefillroute.outcomes.files import read_outcomes
from prefillroute.outcomes.importers import layout
from prefillroute.outcomes.importers.layout import DATA_SETS, known_layouts
from prefillroute.outcomes.pool import load_pool

PUBLIC = sorted(file.stem.replace("_", "-") for file in DATA_SETS.glob("*.yaml"))
TRAIN = "prompt_id,model_id,category_id,label,prompt\n1,a,0,1,p\n1,b,0,0,p\n"


def test_the_help_lists_every_data_set(capsys):
    with pytest.raises(SystemExit):
        main(["import", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert len(PUBLIC) == 8
    for name in PUBLIC:
        assert f"{name} {known_layouts()[name].what}" in said


@pytest.mark.parametrize("name", PUBLIC)
def test_its_help_says_where_it_is_and_what_licence_to_look_at(name, capsys):
    with pytest.raises(SystemExit):
        main(["import", name, "--help"])
    said = capsys.readouterr().out
    assert "Where:    https://" in said
    assert "Licence:  " in said
    assert "rices" in said  # each says that it has none


def test_the_skeleton_says_what_is_missing_and_is_a_pool(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "train.csv").write_text(TRAIN)
    assert main(["import", "embedllm", "there", "--out", "data/mine"]) == 0
    text = (tmp_path / "data" / "mine" / "pool.yaml").read_text()
    assert text.splitlines()[0].endswith(
        "the data has none, no tokens and no cost_usd: a run needs a column cost_usd or completion_tokens as well."
    )
    form = OmegaConf.merge(OmegaConf.structured(PoolConfig), OmegaConf.create(text))
    pool = OmegaConf.to_object(OmegaConf.create({"paths": {"data": "data"}, "pool": form}))["pool"]
    assert pool.import_hint == "prefillroute import embedllm there --out data/mine"
    targets, outcomes = load_pool(pool.targets, pool.outcomes)
    assert [target.name for target in targets] == ["a", "b"]
    assert outcomes.correct.tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (("cost_usd",), "null takes the log's cost_usd."),
        (("completion_tokens",), "the data has none, and no cost_usd."),
    ],
)
def test_the_skeleton_of_a_log_says_what_null_means(tmp_path, columns, said):
    log = pd.DataFrame({"prompt": ["p"], "target": "a", "correct": 1} | dict.fromkeys(columns, 2.0))
    log.to_csv(tmp_path / "log.csv", index=False)
    assert main(["import", "csv", str(tmp_path / "log.csv"), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "pool.yaml").read_text().splitlines()[0].endswith(said)


def test_a_flag_is_part_of_the_command_that_the_skeleton_repeats(tmp_path):
    frame = pd.DataFrame(
        {"sample_id": ["x"], "prompt": "p", "eval_name": "e", "m": [1.0], "m|total_cost": [0.1]}
    )
    frame.to_pickle(tmp_path / "routerbench_0shot.pkl")
    words = ["import", "routerbench", str(tmp_path), "--out", str(tmp_path / "out"), "--trust-pickle"]
    assert main(words) == 0
    assert f"prefillroute {' '.join(words)}" in (tmp_path / "out" / "pool.yaml").read_text()


def test_a_new_data_set_is_one_yaml(tmp_path, monkeypatch, capsys):
    facts = {
        "what": "the votes of a village",
        "source": "https://example.org",
        "licence": "none",
        "details": "One row per vote.\n",
        "shape": "long_table",
        "names": {
            "name": "village",
            "files": r"votes\.tsv",
            "prompt": ["asked"],
            "target": ["who"],
            "score": ["vote"],
        },
    }
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "my_village.yaml").write_text(yaml.safe_dump(facts))
    monkeypatch.setattr(layout, "DATA_SETS", tmp_path / "sets")
    (tmp_path / "votes.tsv").write_text("asked\twho\tvote\nWell?\tann\tyes\nWell?\tbob\tno\n")
    assert main(["import", "my-village", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    outcomes = read_outcomes(tmp_path / "out")
    assert dict(zip(outcomes.targets, outcomes.correct[0], strict=True)) == {"ann": 1.0, "bob": 0.0}
    assert outcomes.queries["benchmark"].tolist() == ["village"]


def test_a_damaged_file_leaves_the_earlier_table(tmp_path, capsys):
    (tmp_path / "train.csv").write_text(TRAIN)
    words = ["import", "embedllm", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "test.csv").write_text(TRAIN.replace("label", "lable"))
    capsys.readouterr()
    assert main(words) == 1
    said = capsys.readouterr().err.strip()
    assert said == (
        f"error: {tmp_path}/test.csv: expected a column 'label', found the columns prompt_id, model_id, category_id, "
        "lable, prompt"
    )
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
