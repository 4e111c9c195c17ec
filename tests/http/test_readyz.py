"""Liveness, readiness and metrics: who is told what."""

from datetime import timedelta

import pytest

from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.outbox import MailMessage, put_in_outbox
from tests.support.client import CheckedClient
from tests.support.environment import METRICS_TOKEN
from tests.support.revision import tables_at

ELSEWHERE = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
OPERATOR = {"Authorization": f"Bearer {METRICS_TOKEN}"}
PRODUCTION = {
    "ENV": "production",
    "PUBLIC_URL": "https://compte.example.fr",
    "SMTP_URL": "smtp+plain://127.0.0.1:2525",
    "MAIL_FROM": "compte@example.fr",
    "OPERATOR_MAIL": "exploitant@example.fr",
}


def test_being_alive_needs_nothing(client: CheckedClient) -> None:
    assert client.get("/livez").status_code == 200


@pytest.mark.at_head
def test_the_operator_reads_the_details(client: CheckedClient) -> None:
    answer = client.get("/readyz", headers=OPERATOR, **ELSEWHERE)
    assert answer.status_code == 200
    assert answer.get_json() == {
        "ready": True,
        "database": "ok",
        "migrations": "head",
        "outbox": "ok",
        "limiter": "process",
    }


def test_others_learn_whether_it_is_ready_and_no_more(client: CheckedClient) -> None:
    assert client.get("/readyz", **ELSEWHERE).get_json() == {"ready": True}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_in_production_the_machine_itself_needs_the_token_too(make_app: object) -> None:
    client = make_app(**PRODUCTION).test_client()  # type: ignore[operator]
    base = "https://compte.example.fr"
    assert client.get("/readyz", base_url=base).get_json() == {"ready": True}
    assert client.get("/metrics", base_url=base).status_code == 401
    assert "database" in client.get("/readyz", base_url=base, headers=OPERATOR).get_json()
    assert client.get("/metrics", base_url=base, headers=OPERATOR).status_code == 200


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer wrong", f"Basic {METRICS_TOKEN}", "Bearer é"])
def test_metrics_are_refused_without_the_right_token(client: CheckedClient, value: str) -> None:
    assert client.get("/metrics", headers={"Authorization": value}, **ELSEWHERE).status_code == 401


def test_tables_behind_the_code_are_not_ready(client: CheckedClient) -> None:
    with tables_at(None):
        answer = client.get("/readyz", headers=OPERATOR)
    assert answer.status_code == 503
    assert answer.get_json()["migrations"] == "behind"


def test_tables_that_newer_code_has_migrated_are_ready(client: CheckedClient) -> None:
    """Hosts are upgraded one after the other: the first one migrates, and the others must go on being asked."""
    with tables_at("of-the-next-release"):
        answer = client.get("/readyz", headers=OPERATOR)
    assert answer.status_code == 200
    assert answer.get_json()["migrations"] == "ahead"


def test_metrics_count_requests_by_route_and_never_by_path(client: CheckedClient) -> None:
    client.get("/bretagne/confirmer/canary-link-token")
    metrics = client.get("/metrics", headers=OPERATOR).get_data(as_text=True)
    assert "canary-link-token" not in metrics
    assert 'route="/<region:region>/' in metrics or 'route="none"' in metrics
    assert "terristory_request_seconds_bucket" in metrics


def test_invented_methods_are_one_series(client: CheckedClient) -> None:
    client.open("/", method="CANARY")
    metrics = client.get("/metrics", headers=OPERATOR).get_data(as_text=True)
    assert 'method="other"' in metrics and "CANARY" not in metrics


def test_metrics_tell_how_long_mail_has_been_waiting(client: CheckedClient) -> None:
    with transaction():
        put_in_outbox(MailMessage("bretagne", "a@example.fr", "fr", "user/confirm"), now=utc_now())
        db.session.flush()
        db.session.query(OutboxMail).one().next_attempt_at = utc_now() - timedelta(minutes=10)
    metrics = client.get("/metrics", headers=OPERATOR).get_data(as_text=True)
    assert 'terristory_outbox_mails{state="pending"} 1.0' in metrics
    oldest = next(line for line in metrics.splitlines() if line.startswith("terristory_outbox_oldest_seconds "))
    assert 590 < float(oldest.split()[1]) < 700
