"""The configuration checks: one module for each part of a cluster's configuration."""
