"""Train and evaluate a router: `python train.py [-m] group=option key=value ...` (see --help)."""

import hydra
from omegaconf import DictConfig

from prefillroute.training.launch import launch
from prefillroute.training.run import run


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(config: DictConfig) -> None:
    """One job: compose -> outcomes -> features -> head -> calibration -> metrics, report, bundle."""
    run(config)


if __name__ == "__main__":
    launch(main)
