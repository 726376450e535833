"""Calibrators map ensemble logits to P(target answers correctly)."""
