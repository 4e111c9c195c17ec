"""Answers that take as long whatever is known of an address (OWASP Authentication: no enumeration by time)."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import request

from terristory.database import give_back_connection

View = TypeVar("View", bound=Callable[..., Any])
# Well above what the longest of these acts takes (about 20 ms with its commit), below what a person notices.
LEAST_SECONDS = 0.05


def evenly_timed(view: View) -> View:
    """Let an unsafe request take LEAST_SECONDS at least, for acts whose work tells whether an account exists.

    A new address costs some writes more than a known one: a few milliseconds, which an average of many tries shows.
    To be the innermost mark of a view, so that what is refused by count does not wait.
    """

    @wraps(view)
    def evenly(*args: Any, **kwargs: Any) -> Any:
        if request.method in ("GET", "HEAD"):
            return view(*args, **kwargs)
        began = time.perf_counter()
        try:
            answer = view(*args, **kwargs)
            give_back_connection()
            return answer
        finally:
            time.sleep(max(0.0, began + LEAST_SECONDS - time.perf_counter()))

    return evenly  # type: ignore[return-value]
