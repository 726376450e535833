"""Route queries between LLMs from a small encoder's prefill activations (arXiv 2603.20895)."""

__version__ = "0.1.0"
