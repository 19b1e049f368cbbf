"""Breaks something on purpose where that is allowed, measures the way back, and leaves things as they were."""
