"""The figures of a study, each drawn from numbers alone."""
