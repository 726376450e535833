"""Layer choice: which (layer, pooling, dimension) blocks become features."""
