"""Predictors turn readings into logits: with a signal and a head, or as an average of several such pairs."""
