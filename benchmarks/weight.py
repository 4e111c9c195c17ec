"""What a page weighs: itself and everything it loads, uncompressed."""

import re

import requests

from benchmarks.load import LoadFailed

# Elements load what `src`, `href` and our own `data-…` attributes name; a style sheet or a script names more.
_LOADED = re.compile(r"""["'(](/static/[\w./?=&;-]+)["')]""")
_OF_OTHERS = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=["'](?:https?:)?//""")


def page_bytes(site: str, path: str) -> tuple[int, int]:
    """Return the bytes of a page and of all it loads, and how many files that is.

    Raises LoadFailed when it loads anything from another site, or names a file that is not there.
    """
    page = _fetched(site + path)
    if _OF_OTHERS.search(page):
        raise LoadFailed("the page loads something from another site")
    total, seen, waiting = len(page.encode()), set[str](), _LOADED.findall(page)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            text = _fetched(site + name)
            total += len(text.encode())
            waiting += _LOADED.findall(text)
    return total, len(seen)


def _fetched(url: str) -> str:
    answer = requests.get(url, timeout=10)
    if answer.status_code != 200:
        raise LoadFailed(f"{url} answers {answer.status_code}")
    answer.encoding = "utf-8"
    return answer.text
