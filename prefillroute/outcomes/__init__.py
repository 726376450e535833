"""Outcome tables: who answered what correctly, at which cost; their splits, folds, costs and importers."""
