"""The 30 handcrafted text-complexity features of the paper (section 4.2)."""
