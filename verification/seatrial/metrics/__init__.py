"""What a platform's own metrics say: asked of Prometheus, or read from the processes themselves."""
