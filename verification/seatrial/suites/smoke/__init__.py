"""Is it there, ready, and the release that was asked for?"""
