"""A rollout while it happens: what users get of it from outside, step by step, until it has settled."""
