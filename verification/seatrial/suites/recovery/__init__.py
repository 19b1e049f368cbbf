"""Has the way back been gone, and how long did it take?"""
