"""Where submitted jobs wait and run: one module per kind of scheduler."""
