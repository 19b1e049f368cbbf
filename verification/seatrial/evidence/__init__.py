"""What a run leaves behind: outcomes, identities, properties, and the one exit through which text leaves redacted."""
