"""Probes of an activation space: PCA, batched logistic regression, Fisher J, geometry."""
