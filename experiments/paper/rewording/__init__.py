"""Other ways to write the same query, by rule."""
