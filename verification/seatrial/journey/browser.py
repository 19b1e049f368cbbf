"""A real browser for a process: found on this machine, started once, and gone with the process."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from seatrial.environment import model

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Playing
    from playwright.sync_api import Playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
STARTING: Final = 30.0
"""Seconds in which a browser must have started."""


class NoBrowser(Exception):
    """There is no browser to be used; the message says why, ``remedy`` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def find(wanted: model.Browser) -> str:
    """Path of the browser. Raises NoBrowser."""
    if importlib.util.find_spec("playwright") is None:
        raise NoBrowser("Playwright is not installed", "pip install 'seatrial[browser]'")
    if wanted.executable is not None:
        if not os.access(wanted.executable, os.X_OK):
            raise NoBrowser(f"there is no browser at {wanted.executable}", "mend browser.executable of the environment")
        return wanted.executable
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise NoBrowser(
            f"none of {', '.join(NAMES)} is on the PATH",
            "install Chromium, or name one in browser.executable of the environment",
        )
    return found


class Browser:
    """Starts at the first use. Raises NoBrowser there where it cannot be had."""

    def __init__(self, wanted: model.Browser) -> None:
        self._wanted = wanted
        self._playwright: Playwright | None = None
        self._browser: Playing | None = None
        self.user_agent = ""

    def running(self) -> Playing:
        """The browser; started anew where it has died."""
        if self._browser is not None and self._browser.is_connected():
            return self._browser
        path = find(self._wanted)
        from playwright.sync_api import Error, sync_playwright

        try:
            if self._playwright is None:
                self._playwright = sync_playwright().start()
            # A sandbox of Chromium's needs a user other than root.
            options = ["--no-sandbox"] if os.geteuid() == 0 else []
            self._browser = self._playwright.chromium.launch(
                executable_path=str(Path(path)), args=options, timeout=STARTING * 1000, handle_sigint=False
            )
            page = self._browser.new_page()
            self.user_agent = str(page.evaluate("navigator.userAgent"))
            page.close()
        except Error as error:
            raise NoBrowser(f"{path} did not start: {_first_line(error)}", f"try it: {path} --version") from None
        return self._browser

    def close(self) -> None:
        """End it."""
        from playwright.sync_api import Error

        try:
            if self._browser is not None and self._browser.is_connected():
                self._browser.close()
            if self._playwright is not None:
                self._playwright.stop()
        except Error:
            pass  # It died before us; there is nothing left to end.
        self._browser = self._playwright = None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
