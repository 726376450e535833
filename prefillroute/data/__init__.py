"""LightningDataModules over activation caches."""
