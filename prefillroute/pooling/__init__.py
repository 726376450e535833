"""Poolings turn the tokens of a layer into one vector."""
