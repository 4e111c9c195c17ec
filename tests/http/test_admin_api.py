"""The administrators' JSON endpoints."""

from uuid import uuid4

import pytest

from terristory.user.models import Role, Status
from tests.support.people import an_account, bearer_of

API = "/api/bretagne/admin"


@pytest.fixture
def admin(client):
    an_account("admin@brest.test", role=Role.ADMIN)
    return bearer_of(client, "admin@brest.test")


def test_the_list_has_pages_and_exact_counts(client, admin):
    for number in range(3):
        an_account(f"p{number}@brest.test", status=Status.AWAITING)
    first = client.get(f"{API}/users?status=awaiting&limit=2", headers=admin).get_json()
    second = client.get(f"{API}/users?status=awaiting&limit=2&after={first['next']}", headers=admin).get_json()
    assert [len(first["users"]), len(second["users"]), second["next"]] == [2, 1, None]
    assert first["counts"] == {"unconfirmed": 0, "awaiting": 3, "active": 1, "refused": 0, "disabled": 0}
    assert {"motif", "decided_by", "without_script"} <= set(first["users"][0])
    assert "password_hash" not in first["users"][0]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=odd", "status"),
        ("sort=password_hash", "sort"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("q=%00", "q"),
        (f"q={'a' * 201}", "q"),
    ],
)
def test_a_query_that_no_list_takes_is_refused_by_name(client, admin, query, field):
    answer = client.get(f"{API}/users?{query}", headers=admin)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [field]


def test_a_cursor_not_ours_is_refused(client, admin):
    answer = client.get(f"{API}/users?after=abc", headers=admin)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "bad_cursor")


def test_a_decision_needs_no_body_and_repeating_it_is_no_error(client, admin):
    person = an_account("jeanne@brest.test", status=Status.AWAITING)
    for _ in range(2):
        answer = client.post(f"{API}/users/{person}/activate", headers=admin)
        assert answer.status_code == 200
        assert answer.get_json()["user"]["status"] == "active"


@pytest.mark.parametrize(
    ("act", "body", "field"),
    [
        ("activate", {"unconfirmed": "yes"}, "unconfirmed"),
        ("activate", {"role": "admin"}, "role"),
        ("refuse", {}, "reason"),
        ("refuse", {"reason": "  "}, "reason"),
        ("refuse", {"reason": 3}, "reason"),
        ("refuse", {"reason": "a" * 1001}, "reason"),
        ("refuse", {"reason": "a\0"}, "reason"),
        ("role", {}, "role"),
        ("role", {"role": "root"}, "role"),
        ("disable", {"reason": "x"}, "reason"),
    ],
)
def test_a_decision_with_a_wrong_body_names_the_field(client, admin, act, body, field):
    person = an_account("jeanne@brest.test", status=Status.AWAITING)
    answer = client.post(f"{API}/users/{person}/{act}", json=body, headers=admin)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [field]


def test_conflicts_carry_their_code(client, admin):
    person = an_account("jeanne@brest.test", status=Status.UNCONFIRMED, password=None)
    answer = client.post(f"{API}/users/{person}/activate", json={}, headers=admin)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "user_unconfirmed")
    answer = client.post(f"{API}/users/{person}/activate", json={"unconfirmed": True}, headers=admin)
    assert answer.get_json()["user"]["status"] == "active"


def test_an_unknown_id_and_one_of_another_region_get_the_same_404(client, admin):
    stranger = an_account("paul@ajaccio.test", region="corse", status=Status.AWAITING)
    for target in (stranger, uuid4()):
        assert client.get(f"{API}/users/{target}", headers=admin).status_code == 404
        assert client.post(f"{API}/users/{target}/refuse", json={}, headers=admin).status_code == 404


def test_disabling_is_felt_at_the_next_request(client, admin):
    person = an_account("jeanne@brest.test")
    theirs = bearer_of(client, "jeanne@brest.test")
    assert client.get("/api/bretagne/auth/me", headers=theirs).status_code == 200
    client.post(f"{API}/users/{person}/disable", headers=admin)
    assert client.get("/api/bretagne/auth/me", headers=theirs).status_code == 401


def test_decisions_together_answer_for_each_id(client, admin):
    waiting = an_account("jeanne@brest.test", status=Status.AWAITING)
    body = {"ids": [str(waiting), str(uuid4()), "x"], "action": "refuse", "reason": "Hors de la région."}
    results = client.post(f"{API}/users/decisions", json=body, headers=admin).get_json()["results"]
    assert [item["result"] for item in results] == ["done", "unknown", "unknown"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "activate"}, "ids"),
        ({"ids": [], "action": "activate"}, "ids"),
        ({"ids": ["x"] * 101, "action": "activate"}, "ids"),
        ({"ids": [1], "action": "activate"}, "ids"),
        ({"ids": "x", "action": "activate"}, "ids"),
        ({"ids": ["x"], "action": "erase"}, "action"),
        ({"ids": ["x"], "action": ["refuse"]}, "action"),
        ({"ids": ["x"], "action": "refuse"}, "reason"),
        ({"ids": ["x"], "action": "activate", "role": "admin"}, "role"),
    ],
)
def test_decisions_together_of_a_wrong_shape_are_refused_by_name(client, admin, body, field):
    answer = client.post(f"{API}/users/decisions", json=body, headers=admin)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [field]


def test_the_trail_is_read_newest_first_and_filtered(client, admin):
    person = an_account("jeanne@brest.test", status=Status.AWAITING)
    client.post(f"{API}/users/{person}/activate", headers=admin)
    client.post(f"{API}/users/{person}/disable", headers=admin)
    events = client.get(f"{API}/audit?user={person}", headers=admin).get_json()["events"]
    assert [line["event"] for line in events] == ["user.disabled", "user.activated"]
    assert events[0]["subject"] == str(person) and events[0]["actor"] != str(person)
    only = client.get(f"{API}/audit?event=user.activated&limit=1", headers=admin).get_json()
    assert [line["event"] for line in only["events"]] == ["user.activated"]
    history = client.get(f"{API}/users/{person}", headers=admin).get_json()["history"]
    assert history == events


@pytest.mark.parametrize("query", ["user=x", "event=odd", "limit=-1", "after=%00"])
def test_a_wrong_query_of_the_trail_is_refused(client, admin, query):
    assert client.get(f"{API}/audit?{query}", headers=admin).status_code == 422
