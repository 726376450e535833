"""One reader for every table of records: CSV, TSV, JSONL, JSON and Parquet, each also gzipped."""
