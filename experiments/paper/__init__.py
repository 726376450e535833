"""The paper's study as experiments, on any pool: `python -m experiments.paper --help`."""
