"""What a query's text does not tell, and a few routers read: columns of the query table."""

LABELS = ("category", "benchmark")
