"""Chromium for tests of pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

from devtools.driver.browser import launch


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running Chromium; skips the test where it is not installed."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no chromium on this machine: devtools/install-chromium.sh installs Debian's")
    with sync_playwright() as playwright:
        yield launch(playwright, program)
