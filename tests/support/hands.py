"""Two ways to use a page, with the same words: a keyboard and nothing else, or a mouse (here without any script)."""

from typing import Any, Protocol

from playwright.sync_api import Download, Error, Page

from tests.support.components import wait_until

MOST_TABS = 90
# What has the focus: its name, and what is wrong with its being there: a focus must be seen (WCAG 2.4.7, 2.4.11).
FOCUSED = """() => {
  const item = document.activeElement;
  if (!item || item === document.body) return null;
  const text = item.labels?.length ? item.labels[0].textContent : item.getAttribute('aria-label') || item.textContent;
  const box = item.getClientRects()[0] || item.getBoundingClientRect();
  // Of a high field the browser shows the line to write on, not the middle.
  const points = [[box.left + box.width / 2, box.top + box.height / 2], [box.left + 6, box.top + 6]];
  const style = getComputedStyle(item);
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const mine = points.map(([x, y]) => document.elementFromPoint(x, y)).some(there =>
    there && (item.contains(there) || [...item.labels || []].some(label => label.contains(there))));
  return {
    name: text.replace(/\\s+/g, ' ').trim(),
    fault: !ring ? 'its focus is not shown' : !mine ? 'it is hidden or out of sight' : null,
    html: item.outerHTML.slice(0, 120),
  };
}"""


# Whether the control in focus leads to another page; the mark tells that page from this one.
LEADS_AWAY = """() => {
  window.stillHere = true;
  return document.activeElement.matches('a[href]:not([href^="#"]), button[type=submit]');
}"""


class Hands(Protocol):
    """How somebody uses a page: every name is a control's whole name, as read aloud."""

    def press(self, name: str) -> None:
        """Follow the link, or use the button, of this name."""

    def write(self, name: str, text: str) -> None:
        """Put this text into a field, in the place of what it holds."""

    def tick(self, name: str) -> None:
        """Tick the box of this name."""

    def choose(self, name: str, option: str) -> None:
        """Choose this option of a list."""


class Keyboard:
    """Tab, Shift+Tab, Space, Enter and typing: nothing is clicked, and each stop of Tab must show its focus."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.files = 0
        page.on("download", self._count_file)

    def reach(self, name: str, most: int = MOST_TABS) -> None:
        """Press Tab until the control of this name has the focus, from where the focus is, and once around.

        Raises AssertionError when it is not reached, or when a stop on the way is not to be seen.
        """
        passed = []
        for _attempt in range(most):
            self.page.keyboard.press("Tab")
            stop: dict[str, Any] | None = self.page.evaluate(FOCUSED)
            if stop is None:
                continue
            assert stop["fault"] is None, (self.page.url, stop)
            if stop["name"] == name:
                return
            passed.append(stop["name"])
        raise AssertionError(f"{name!r} is not reached by Tab on {self.page.url}; passed: {passed}")

    def press(self, name: str) -> None:
        """Reach the link or button and press Enter; wait for what it leads to, a page or a file."""
        self.reach(name)
        leads_away = self.page.evaluate(LEADS_AWAY)
        files = self.files
        self.page.keyboard.press("Enter")
        if leads_away:
            wait_until(lambda: self._has_left() or self.files > files, seconds=15, what=f"what {name!r} leads to")

    def _count_file(self, _download: Download) -> None:
        self.files += 1

    def _has_left(self) -> bool:
        self.page.wait_for_timeout(20)
        try:
            return bool(self.page.evaluate("() => !window.stillHere && document.readyState === 'complete'"))
        except Error:
            # Just now the old page goes and the new one comes.
            return False

    def write(self, name: str, text: str) -> None:
        """Reach the field and type over what it holds."""
        self.reach(name)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def tick(self, name: str) -> None:
        """Reach the box and press Space."""
        self.reach(name)
        self.page.keyboard.press("Space")

    def choose(self, name: str, option: str) -> None:
        """Reach the list, go to its first option, then down to the one wanted."""
        self.reach(name)
        self.page.keyboard.press("Home")
        for _attempt in range(self.page.evaluate("() => document.activeElement.options.length")):
            if self.page.evaluate("() => document.activeElement.selectedOptions[0].label") == option:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{name!r} has no option {option!r}")


class Mouse:
    """Clicks and typing. `clicks` counts what was pressed; fields are gone to by Tab or by the browser itself."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    def press(self, name: str) -> None:
        """Click the link or button of the page's main part."""
        main = self.page.get_by_role("main")
        found = main.get_by_role("button", name=name, exact=True).or_(main.get_by_role("link", name=name, exact=True))
        found.first.click()
        self.clicks += 1

    def write(self, name: str, text: str) -> None:
        """Fill the field."""
        self.page.get_by_label(name, exact=True).fill(text)

    def tick(self, name: str) -> None:
        """Tick the box."""
        self.page.get_by_label(name, exact=True).check()

    def choose(self, name: str, option: str) -> None:
        """Choose the option."""
        self.page.get_by_label(name, exact=True).select_option(label=option)
