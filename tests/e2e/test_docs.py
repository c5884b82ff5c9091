"""The pages that show the description of the API, in a real browser."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Request

from tests.stack import Stack

pytestmark = [pytest.mark.processes]


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/docs", ".opblock-summary-path"), ("/docs/redoc", "h2:has-text('Accept a checkout')")],
)
def test_the_pages_work_offline(whole_stack: Stack, browser: Browser, path: str, shown: str) -> None:
    """Nothing is fetched from another host: what a script asks for elsewhere, the policy refuses."""
    page = browser.new_page()
    asked: list[Request] = []
    refused: list[str] = []
    failures: list[str] = []
    page.on("request", lambda request: asked.append(request))
    page.on("requestfailed", lambda request: refused.append(request.url))
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(whole_stack.web_url + path)
    page.locator(shown).first.wait_for(timeout=30_000)
    own = urlsplit(whole_stack.web_url).netloc
    elsewhere = [request.url for request in asked if urlsplit(request.url).netloc not in ("", own)]
    assert set(elsewhere) <= set(refused)
    assert failures == []
    page.close()
