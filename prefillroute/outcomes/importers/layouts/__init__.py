"""Layouts in which outcomes may lie: one per file, without what reads it."""
