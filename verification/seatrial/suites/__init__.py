"""The shipped suites: thin test modules over the catalogue, importable one by one."""
