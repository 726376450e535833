"""The parts of a study: each one answers a question about a pool with tables and figures."""
