"""What can be read of queries: the columns of their table, and what models say of them, from caches or live."""
