"""Hands the properties of a case to Allure as labels, where allure-pytest is installed and writing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest


def writing(config: pytest.Config) -> bool:
    """Whether allure-pytest writes results in this run."""
    return config.pluginmanager.hasplugin("allure_pytest") and bool(getattr(config.option, "allure_report_dir", None))


def direct(config: pytest.Config, folder: Path) -> None:
    """Let allure-pytest write into ``folder`` unless ``--alluredir`` says otherwise.

    Called in every process: xdist hands its workers the command line, not the options.
    """
    if config.pluginmanager.hasplugin("allure_pytest") and not config.option.allure_report_dir:
        config.option.allure_report_dir = str(folder)


def label(values: Mapping[str, str], *, suite: str, severity: str) -> None:
    """Label the result of the item that is running now. Call it before pytest leaves the item's protocol."""
    import allure

    # allure-python-commons has no types.
    dynamic: Any = allure.dynamic

    for name, value in values.items():
        if value:
            dynamic.label(name, value)
    if values.get("seatrial.explanation"):
        dynamic.description(values["seatrial.explanation"])
    dynamic.label("epic", "seatrial")
    dynamic.feature(suite)
    dynamic.severity({"critical": "critical", "major": "normal", "minor": "minor"}[severity])


def unfinished(config: pytest.Config) -> None:
    """Take back what Allure has as the status of the item that is running now: its set-up may have passed, and no more.

    allure-pytest writes the result of an item all the same when the run is interrupted in the middle of it.
    """
    listener: Any = config.pluginmanager.getplugin("allure_listener")
    result = None if listener is None else listener.allure_logger.get_test(None)
    if result is not None:
        result.status = None
