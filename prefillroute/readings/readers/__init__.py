"""One module for each group of models; its class `Reader` says how they are found in caches and run."""
