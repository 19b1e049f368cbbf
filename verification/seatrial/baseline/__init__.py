"""The stored baseline: runs that were promoted, kept to judge later ones by where stable cannot be run beside them."""
