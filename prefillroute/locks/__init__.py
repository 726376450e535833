"""One writer at a time, on any file system; imported by everything that two jobs could write at once."""
