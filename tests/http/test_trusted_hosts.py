"""In production only the service's own names are answered; each request has an id of its own."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.http.test_readyz import PRODUCTION
from tests.support.client import CheckedClient


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["/", "/bretagne/", "/api/regions", "/nowhere"])
@pytest.mark.parametrize("host", ["evil.example", "compte.example.fr.evil.example", "evil.example:8000"])
def test_another_host_is_a_400(make_app: Callable[..., Flask], path: str, host: str) -> None:
    client = make_app(**PRODUCTION).test_client()
    answer = client.get(path, base_url=f"https://{host}")
    assert answer.status_code == 400
    assert host not in answer.get_data(as_text=True)
    assert client.get("/api/regions", base_url="https://compte.example.fr").status_code == 200


def test_each_request_has_an_id_of_its_own_also_when_its_region_is_unknown(client: CheckedClient) -> None:
    ids = [client.get(path).headers["X-Request-ID"] for path in ("/aide", "/atlantide/", "/nowhere/at/all", "/aide")]
    assert all(ids) and len(set(ids)) == 4
