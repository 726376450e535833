"""LightningModules and the one function that fits a head."""
