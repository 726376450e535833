"""The same choices give the same folder, whatever order and form they have on the command line."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOW = """
import sys
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from prefillroute.config.folders import conf_folders
from prefillroute.config.schema import register_schemas
from prefillroute.config.search import register_search_path
from prefillroute.jobs.folder import register_job_folder
from prefillroute.jobs.signature import register_sweep_name

register_schemas(); register_search_path(); register_job_folder()
with initialize_config_dir(str(conf_folders()[0]), version_base="1.3", job_name="train"):
    for line in sys.stdin:
        register_sweep_name()  # which forgets the last name
        loader = GlobalHydra.instance().config_loader()
        print(loader.load_configuration("config", line.split(), RunMode.MULTIRUN).hydra.sweep.dir)
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory):
    """Gives the sweep folder of each list of overrides."""

    def name(*lines: str) -> list[str]:
        said = subprocess.run(
            [sys.executable, "-c", SHOW], input="\n".join(lines), cwd=tmp_path_factory.mktemp("empty"),
            env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return said.stdout.split()

    return name


def test_order_and_form_do_not_matter(folders) -> None:
    same = folders(
        "head=logistic,shared_trunk seed=0,1,2 pool=starter",
        "pool=starter seed=2,0,1 head=shared_trunk,logistic",
        "seed=range(0,3) head=choice(logistic,shared_trunk) pool=starter",
        "hydra/launcher=slurm_cpu head=logistic,shared_trunk seed=0,1,2 pool=starter",
    )
    assert len(set(same)) == 1
    assert same[0].startswith("runs/sweeps/head-seed-")


def test_every_choice_matters(folders) -> None:
    different = folders(
        "head=logistic,shared_trunk seed=0,1",
        "head=logistic,shared_trunk seed=0,2",
        "head=logistic,shared_trunk seed=0,1 pool=starter",
        "head=logistic seed=0,1",
        "head=logistic,shared_trunk seed=0,1 trainer.max_epochs=3",
    )
    assert len(set(different)) == len(different)
