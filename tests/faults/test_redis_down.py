"""Redis goes away or forgets: limits count per process or anew, nobody is turned away, and the operator is told."""

from collections.abc import Callable

import pytest
import requests

from tests.support.components import wait_until
from tests.support.json_client import PASSWORD, JsonClient
from tests.support.redis import RedisServer
from tests.support.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.redis]


def captcha(server: Server) -> requests.Response:
    """Ask for a captcha: a limited route."""
    return requests.get(server.url + "/api/bretagne/captcha", params={"form": "create_user"}, timeout=20)


def limiter(server: Server) -> str:
    """Return the state of the limits that readiness tells."""
    state: str = requests.get(server.url + "/readyz", timeout=20).json()["limiter"]
    return state


@pytest.mark.parametrize("fault", ["stop", "suspend"])
def test_without_redis_limits_go_on_per_process(
    make_server: Callable[..., Server], redis_server: RedisServer, fault: str
) -> None:
    server = make_server(REDIS_URL=redis_server.url, WEB_WORKERS=1, LIMIT_CAPTCHA="3/minute")
    assert limiter(server) == "shared"
    assert captcha(server).status_code == 200
    getattr(redis_server, fault)()
    try:
        statuses = [captcha(server).status_code for _ in range(6)]
        assert set(statuses) == {200, 429}
        ready = requests.get(server.url + "/readyz", timeout=20)
        assert ready.status_code == 200 and ready.json()["limiter"] == "fallback"
        headers = {"Authorization": "Bearer " + server.environ["TERRISTORY_METRICS_TOKEN"]}
        metrics = requests.get(server.url + "/metrics", headers=headers, timeout=20).text
        assert "terristory_limiter_fallback 1.0" in metrics
    finally:
        if fault == "suspend":
            redis_server.resume()
        else:
            redis_server.start()
    wait_until(lambda: limiter(server) == "shared", seconds=20, what="shared limits again")


def test_a_flushed_redis_forgets_counts_and_nothing_else(
    make_server: Callable[..., Server], redis_server: RedisServer
) -> None:
    server = make_server(REDIS_URL=redis_server.url, WEB_WORKERS=1, LIMIT_CAPTCHA="3/minute")
    person, admin, first = JsonClient(server.url), JsonClient(server.url), server.first_admin()
    admin.sign_in_first_time(first["mail"], first["temporary password"], PASSWORD)
    spent = person.captcha("create_user")
    assert person.ask_for_account("a.b@brest.test", captcha=spent).status_code == 201
    assert {captcha(server).status_code for _ in range(3)} >= {429}
    with redis_server.client() as client:
        client.flushall()
    assert captcha(server).status_code == 200
    assert person.ask_for_account("c.d@brest.test", captcha=spent).status_code == 422, "a spent captcha served again"
    assert admin.call("GET", "/auth/me").status_code == 200
    assert limiter(server) == "shared"
