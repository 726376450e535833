"""Finished runs against each other: reading, paired differences, tables, forest plots."""
