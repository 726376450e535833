"""Train and evaluate a router: `python train.py [-m] group=option key=value ...` (see --help).

The same as `prefillroute train`, which needs no checkout. Hydra composes the run from conf/config.yaml, where each line
is a choice; one job is `prefillroute.training.run.train_router`, which reads as a table of contents.
"""

import sys

from prefillroute.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
