"""The router bundle: save, load, verify, route."""
