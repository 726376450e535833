"""Bad input through the real command line: `python -m experiments.badinput`."""
