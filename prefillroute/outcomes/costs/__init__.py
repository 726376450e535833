"""Cost models: what a query would cost at each target, before it is sent (DESIGN section 5, equation 2)."""
