"""Facts (as dataclasses), the schema of a run, and composition; nothing here imports torch."""
