"""HDF5 activation caches: written row by row, resumable, joined by virtual datasets, read one layer at a time."""
