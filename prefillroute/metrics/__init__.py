"""Metrics as pure numpy functions; NaN outcomes are masked."""
