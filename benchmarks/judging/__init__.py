"""Simulated streams with fixed seeds, what judges of other tools would say of them, and how it is all counted."""
