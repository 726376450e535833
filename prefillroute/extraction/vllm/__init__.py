"""The encoder in a vLLM process of its own: its environment, its weights, the process, and the check of its answers."""
