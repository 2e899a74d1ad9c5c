"""A page of the tab `Explore` that the tests of a file share."""

import pytest

from tests.support.explorer import open_explore


@pytest.fixture(scope="module")
def opened(browser, server, photos):
    """A page with two faces, the larger open, that all tests share: what they change they take back."""
    context, errors = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce"), []
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda one: errors.append(one.text) if "Content Security Policy" in one.text else None)
    page.goto(server.url)
    yield open_explore(page, photos["two.png"])
    context.close()
    assert errors == []
