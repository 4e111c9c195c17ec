"""What every page must be, whatever it shows: faults a machine can see, found in each page of the whole suite."""

from collections import Counter
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
REFERRING = ("aria-describedby", "aria-labelledby", "aria-controls", "for", "list")


def faults_of(page: str, *, inline_styles: bool = False) -> list[str]:
    """Return what is wrong with a page: one h1, a language, a title, ids that exist once, nothing inline.

    `inline_styles` allows what mails cannot do without.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    faults = list(reader.faults)
    if not page.lstrip().lower().startswith("<!doctype html>"):
        faults.append("no doctype")
    if reader.tags["h1"] != 1:
        faults.append(f"{reader.tags['h1']} h1 elements")
    if reader.language not in ("fr", "en"):
        faults.append(f"lang is {reader.language!r}")
    if not reader.title.strip():
        faults.append("no title")
    faults += [f"id {name} is there {count} times" for name, count in reader.ids.items() if count > 1]
    faults += [
        f"{name} names {target}, which is not there" for name, target in reader.targets if target not in reader.ids
    ]
    faults += [f"<{tag}> is never closed" for tag in reader.open]
    if not inline_styles:
        faults += reader.inline
    return faults


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.inline: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.targets: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.language: str | None = None
        self.title = ""
        self._script_with_source = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags[tag] += 1
        if tag not in VOID:
            self.open.append(tag)
        if tag == "html":
            self.language = given.get("lang")
        if "id" in given:
            self.ids[given["id"]] += 1
        self.targets += [(name, target) for name in REFERRING for target in given.get(name, "").split()]
        if tag == "img" and "alt" not in given:
            self.faults.append("an image without alt")
        if tag == "form" and given.get("method", "get").lower() not in ("get", "post"):
            self.faults.append(f"a form with the method {given['method']}")
        self._note_inline(tag, given)

    def _note_inline(self, tag: str, given: dict[str, str]) -> None:
        """The policy of every answer forbids inline code and styles: a browser would drop them in silence."""
        if tag == "style":
            self.inline.append("a <style> element")
        if tag == "script" and not given.get("src"):
            self.inline.append("an inline <script>")
        self.inline += [
            f"the attribute {name} on <{tag}>" for name in given if name == "style" or name.startswith("on")
        ]
        places = [given.get(name, "") for name in ("href", "src", "action", "formaction")]
        self.inline += [f"{place[:30]} on <{tag}>" for place in places if place.startswith(("javascript:", "data:"))]
        if tag in ("script", "link", "img", "iframe", "source") and "//" in (
            given.get("src") or given.get("href") or ""
        ):
            self.inline.append(f"something fetched from another place by <{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if tag not in self.open:
            self.faults.append(f"</{tag}> closes nothing")
            return
        while self.open and (last := self.open.pop()) != tag:
            # HTML closes these by itself.
            if last not in ("li", "p", "dt", "dd", "option", "tr", "td", "th", "tbody", "thead"):
                self.faults.append(f"<{last}> is still open at </{tag}>")

    def handle_data(self, data: str) -> None:
        if "title" in self.open and "svg" not in self.open:
            self.title += data
