"""Heads map features to one logit per target; groups and members run side by side."""
