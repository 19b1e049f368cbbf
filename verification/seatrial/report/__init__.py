"""What people read of a decision: the terminal's summary and the Markdown of a pipeline's step."""
