"""The page of a sweep, `summary.html`: what was chosen, what came out, and the curves of the runs in one figure."""
