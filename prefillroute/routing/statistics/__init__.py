"""Every statistic of metrics.json, one family per module: a new one is a module here, and no list names it."""
