"""HDF5 activation caches: resumable shards, joined by virtual datasets, read one layer at a time."""
