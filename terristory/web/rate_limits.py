"""Limits by count of requests, per network; the two doors of one act share one budget."""

import math
from collections.abc import Callable
from typing import Any

from terristory.clock import utc_now
from terristory.extensions import limiter
from terristory.web.network import client_network
from terristory.web.settings_in_force import settings_in_force


def limited(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Limit a view by the setting `LIMIT_<NAME>` (such as `register`), shared by all views of that name.

    Only unsafe requests count, but for the captcha whose challenge is fetched by GET.
    """
    methods = ["GET", "POST"] if name in ("captcha", "admin") else ["POST", "PUT", "PATCH", "DELETE"]
    decorator: Callable[[Callable[..., Any]], Callable[..., Any]] = limiter.shared_limit(
        lambda: str(getattr(settings_in_force(), f"limit_{name}")),
        scope=name,
        key_func=client_network,
        methods=methods,
    )
    return decorator


def seconds_until_free() -> int | None:
    """Return how many seconds the limit that refused this request lasts; None when none did, or its store is down."""
    refused_by = limiter.current_limit
    if refused_by is None or not refused_by.breached:
        return None
    return max(1, math.ceil(refused_by.reset_at - utc_now().timestamp()))


def keep_own_retry_after() -> None:
    """Let the answer under way carry its own `Retry-After`: Flask-Limiter puts that of its own count in its place."""
    limiter.context.reset()
