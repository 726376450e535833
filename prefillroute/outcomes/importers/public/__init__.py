"""Public outcome data: one reader per shape, one YAML per data set in `data_sets/`."""
