"""What was read of a cluster or of rendered manifests: plain objects, and for each kind that was not read, why."""
