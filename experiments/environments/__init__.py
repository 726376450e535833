"""The package where its users work: `python -m experiments.environments`."""
