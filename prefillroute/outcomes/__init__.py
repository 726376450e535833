"""Outcome tables: which target answered which query correctly and at what cost; splits, folds, costs, importers."""
