"""Asks the targets of a pool the questions of a benchmark and scores their answers (paper section 4.1)."""
