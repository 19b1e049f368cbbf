"""Conversations as users have them. In the wheel the demo's scripts lie here; in a repository in `synthetic/`."""
