"""The main job over JSON, by a client written from the contract only."""

from collections.abc import Callable

import pytest

from tests.support.json_client import PASSWORD, JsonClient, mails_of, wait_for_link
from tests.support.server import Server

MAIL = "Jeanne.LeGoff@brest-metropole.test"


@pytest.mark.timeout(120)
def test_a_request_leads_to_me_over_json(make_server: Callable[..., Server]) -> None:
    server = make_server()
    first = server.first_admin()
    person, admin = JsonClient(server.url, first["region"]), JsonClient(server.url, first["region"])
    created = person.ask_for_account(MAIL, motif="Suivre notre plan climat.")
    assert (created.status_code, created.json()) == (201, {"login": MAIL, "active": False})
    token = wait_for_link(server.url, MAIL, "confirmer")
    weak = person.call("POST", "/user/confirm", {"token": token, "password": "azertyuiop12"})
    assert (weak.status_code, list(weak.json()["errors"])) == (422, ["password"])
    assert person.call("POST", "/user/confirm", {"token": token, "password": PASSWORD}).status_code == 204
    again = person.call("POST", "/user/confirm", {"token": token, "password": PASSWORD})
    assert (again.status_code, again.json()["code"]) == (422, "token_used")
    early = person.call("POST", "/auth", {"login": MAIL, "password": PASSWORD})
    assert (early.status_code, early.json()["code"]) == (401, "account_awaiting")
    assert early.json()["exception"] == "AuthenticationFailed"
    assert early.json()["reasons"] == ["Authentication failed."]

    admin.sign_in_first_time(first["mail"], first["temporary password"], "moulin orage boussole 3 tiroirs")
    listed = admin.call("GET", "/admin/users?status=awaiting").json()
    assert listed["counts"]["awaiting"] == 1
    user = listed["users"][0]
    assert (user["mail"], user["status"], user["active"]) == (MAIL, "awaiting", False)
    decided = admin.call("POST", f"/admin/users/{user['id']}/activate", {})
    assert (decided.status_code, decided.json()["user"]["status"]) == (200, "active")
    assert admin.call("POST", f"/admin/users/{user['id']}/activate", {}).status_code == 200
    assert sum("activé" in text for text in mails_of(server.url, MAIL)) == 1

    tokens = person.sign_in(MAIL.upper(), PASSWORD)
    assert set(tokens) == {"access_token", "refresh_token"}
    me = person.call("GET", "/auth/me").json()["me"]
    assert me["user_id"] == {"mail": MAIL, "region": first["region"]}
    assert (me["prenom"], me["role"], me["active"]) == ("Jeanne", "user", True)
    assert person.call("GET", "/auth/verify").json() == {"valid": True}
    assert person.call("GET", "/admin/users").status_code == 403
    assert person.call("POST", "/auth/logout").status_code == 204
    assert person.call("GET", "/auth/me").status_code == 401
