"""Modes: which encoder serves which target (DESIGN section 7, paper section 4.3)."""
