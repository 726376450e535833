"""One module for each group of models; its class `Reader` says how models are found in caches and how they are run."""
