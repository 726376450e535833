"""What a predictor reads: prefill activations, or a semantic signal."""
