"""What computes activations: one contract, one module for each backend."""
