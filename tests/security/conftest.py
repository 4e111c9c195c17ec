"""A client whom no limit by count stops, on the app that the worker keeps: building one a test costs far more."""

from dataclasses import replace

import pytest
from flask import Flask

from terristory.extensions import limiter
from tests.support.client import CheckedClient


@pytest.fixture
def unlimited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> CheckedClient:
    """What RATE_LIMITS=off does: no request limit, no throttle, no quota."""
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], rate_limits=False))
    monkeypatch.setattr(limiter, "enabled", False)
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client
