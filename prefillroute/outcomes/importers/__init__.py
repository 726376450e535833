"""Importers: public results and users' own logs, from their owners' layout to an outcome folder."""
