"""Compares an encoder's facts in YAML with its own files, without loading weights."""
