"""What a browser test needs besides Chromium: a page whose complaints fail the test, and the checks of every page."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page

from terristory.regions.accessibility import latest_tests
from tests.support.accessibility import FOUND, RENEWING, kind_of_page

AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "RGAAv4"]
# Chromium reports answers such as 422, 410 and 503 as console errors; those are the point of many tests.
EXPECTED_NOISE = re.compile(r"Failed to load resource: the server responded with a status of (4\d\d|503)")
LEAST_TARGET = 24

SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input, select, textarea, summary')]
  .filter(item => item.offsetParent !== null && !item.closest('p, li, dd, td, .visually-hidden, .skip-link'))
  .map(item => [item, item.getBoundingClientRect()])
  .filter(([item, box]) => box.width > 0 && (box.width < LEAST || box.height < LEAST))
  .filter(([item]) => !(item.labels && item.labels.length))
  .map(([item, box]) => item.outerHTML.slice(0, 80) + ' ' + Math.round(box.width) + 'x' + Math.round(box.height))
""".replace("LEAST", str(LEAST_TARGET))
CONTRASTS = """() => axe.run(document, {runOnly: {type: 'rule', values: ['color-contrast']}})
  .then(found => found.violations.flatMap(rule => rule.nodes.map(node => node.html.slice(0, 120))))"""


@contextmanager
def watched_page(context: BrowserContext) -> Iterator[Page]:
    """Open a page; console errors, CSP violations, script errors and requests to elsewhere fail the test at the end."""
    page = context.new_page()
    complaints: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not EXPECTED_NOISE.search(message.text):
            complaints.append(f"console {message.type}: {message.text}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
    page.on("requestfailed", lambda request: complaints.append(f"request failed: {request.url} {request.failure}"))
    yield page
    real = [complaint for complaint in complaints if "net::ERR_ABORTED" not in complaint]
    page.close()
    assert not real, real


def _said_by_axe(page: Page) -> Any:
    """Ask axe about a page that has come to rest; once more when a navigation took the document from under it."""
    options = {"runOnly": {"type": "tag", "values": AXE_TAGS}}
    page.wait_for_load_state()
    try:
        return Axe().run(page, options=options).response
    except Error as error:
        if "of null" not in error.message and "Execution context was destroyed" not in error.message:
            raise
        page.wait_for_load_state("networkidle")
        return Axe().run(page, options=options).response


def check_page(page: Page) -> None:
    """Check what every page owes: axe's RGAA and WCAG rules, one h1, a title, targets, no scroll sideways at 320 px."""
    response = _said_by_axe(page)
    FOUND.note(page.url, response)
    found = [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in response["violations"]]
    assert not found, (page.url, found)
    assert page.locator("h1").count() == 1, page.url
    assert " – TerriSTORY" in page.title(), page.title()
    small = page.evaluate(SMALL_TARGETS)
    assert not small, (page.url, small)
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 640})
    overflow = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, (page.url, overflow)
    if size:
        page.set_viewport_size(size)
    for field in page.locator("[aria-invalid=true]").all():
        described = (field.get_attribute("aria-describedby") or "").split()
        assert described and all(page.locator(f"[id='{name}']").count() == 1 for name in described), page.url


def check_in_both_lights(page: Page) -> None:
    """Check a page, and its contrasts once more in dark: nothing else differs between the two.

    The accessibility statement must know this kind of page.
    """
    check_page(page)
    kind = kind_of_page(page.url)
    assert RENEWING or kind in latest_tests().pages or kind.startswith("/dev/"), f"{kind}: run `make accessibility`"
    page.emulate_media(color_scheme="dark")
    # check_page has left its axe in the page.
    too_pale = page.evaluate(CONTRASTS)
    page.emulate_media(color_scheme="light")
    assert not too_pale, (page.url, too_pale)
