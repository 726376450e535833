"""Run an encoder's prefill and pool its hidden states into a cache."""
