"""The catalogue: one module for each family of checks. A check is a function whose docstring is its documentation."""
