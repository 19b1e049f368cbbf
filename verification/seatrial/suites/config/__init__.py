"""The live configuration against the strategy."""
