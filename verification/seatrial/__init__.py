"""Deployment verification for pytest: promote, hold or rollback, with the evidence."""

__version__ = "0.1.0"
