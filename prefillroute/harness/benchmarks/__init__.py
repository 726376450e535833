"""Benchmarks: questions together with what is needed to score the answers."""
