"""Programs for vLLM's own environment, which lacks this package: of it they import the poolings, and nothing else."""
