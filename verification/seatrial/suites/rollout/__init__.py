"""Is the rollout complete, and is there a way back?"""
