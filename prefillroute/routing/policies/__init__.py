"""Policies turn confidences and costs into one target per query; one policy per file."""
