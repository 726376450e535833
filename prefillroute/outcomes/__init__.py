"""Outcome tables: importers, validation, agreement classes, splits, folds and costs."""
