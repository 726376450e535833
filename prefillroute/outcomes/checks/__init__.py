"""What may be wrong with a pool: one check per module, found by walking this package."""
