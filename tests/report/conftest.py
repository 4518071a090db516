"""The browser of the tests that need one."""

import pytest
from playwright.sync_api import sync_playwright

from tests.report.browsing import CHROMIUM, FLAGS


@pytest.fixture
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
