"""Facts (dataclasses) and the schema of a run; nothing here imports torch."""
