"""Headless Chromium of this machine, for as long as a fixture keeps it."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

__all__ = ["CHROMIUM", "a_browser"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def a_browser() -> Iterator[Browser]:
    """Start it and end it. Without one the tests are skipped, and it is said loudly.

    There is one at a time: a fixture that is shared by more than its folder would be in the way of the next.
    """
    if CHROMIUM is None:
        pytest.skip("NO BROWSER: install chromium to run the tests that look at pages")
    # The driver keeps an event loop in this thread, which Django takes for an asynchronous program.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as driver:
            # As root, and in containers, the browser's own sandbox cannot be made.
            yield driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
