"""Glue for a clone: the plugin, as an installation would register it."""

pytest_plugins = ["seatrial.plugin"]
