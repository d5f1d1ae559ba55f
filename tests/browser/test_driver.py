"""A browser that dies costs one try of one test; a test that fails still fails."""

import pytest
from playwright.sync_api import Error

TRIES = []


def crash(browser) -> None:
    """End the browser's process as a segmentation fault would."""
    with pytest.raises(Error):
        browser.new_browser_cdp_session().send("Browser.crash")


def test_a_dead_browser_is_replaced(start_chromium):
    first = start_chromium()
    assert start_chromium() is first
    crash(first)
    second = start_chromium()
    assert second is not first
    page = second.new_page()
    page.set_content("<p>alive</p>")
    assert page.inner_text("p") == "alive"


def test_a_test_whose_browser_died_is_tried_again(chromium):
    TRIES.append(chromium)
    if len(TRIES) == 1:
        crash(chromium)
    page = chromium.new_page()
    page.set_content("<p>alive</p>")
    assert page.inner_text("p") == "alive"
    assert len(TRIES) == 2


def test_only_a_dead_browser_earns_another_try(request, chromium):
    marker = request.node.get_closest_marker("flaky")
    assert marker.kwargs == {"reruns": 1, "only_rerun": ["TargetClosedError"]}
