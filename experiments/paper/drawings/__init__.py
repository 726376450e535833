"""Figures of the parts of a study."""
