"""A client of the JSON API, written from the contract alone, and ways to read the mails of a development service."""

import html
import re
import time
from typing import Any

import requests

from tests.support.captcha import captcha_from

PASSWORD = "girafe violon tempête 7 carottes"


class JsonClient:
    """One API client of one region of a running service."""

    def __init__(self, url: str, region: str = "bretagne") -> None:
        self.url = url
        self.api = f"{url}/api/{region}"
        self.region = region
        self.token: str | None = None

    def captcha(self, form: str) -> str:
        """A solved captcha for a form."""
        return captcha_from(self.url, self.region, form)

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Call the API; `body` goes as JSON, the access token, if any, as bearer."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return requests.request(method, self.api + path, json=body, headers=headers, timeout=30, **options)

    def ask_for_account(self, mail: str, **more: Any) -> requests.Response:
        """Register."""
        applicant = {
            "prenom": "Jeanne",
            "nom": "Le Goff",
            "mail": mail,
            "organisation": "Brest métropole",
            "information_lue": True,
            "captcha": self.captcha("create_user"),
        }
        return self.call("POST", "/user", {**applicant, **more})

    def sign_in(self, login: str, password: str, **more: Any) -> dict[str, Any]:
        """Sign in, keep the access token, return the answer's body."""
        answer = self.call("POST", "/auth", {"login": login, "password": password, **more})
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        self.token = body["access_token"]
        return body

    def sign_in_first_time(self, login: str, temporary: str, new_password: str) -> None:
        """Sign in with a temporary password and choose the real one."""
        assert self.sign_in(login, temporary)["password_change_required"] is True
        answer = self.call("PUT", "/user/password", {"new_password": new_password})
        assert answer.status_code == 204, answer.text


def mails_of(url: str, address: str) -> list[str]:
    """The plain texts of the mails to an address in a development service's outbox, newest last."""
    listing = requests.get(f"{url}/dev/courriels", timeout=30).text
    rows = [row for row in listing.split("<tr>") if f">{html.escape(address.lower())}<" in row.lower()]
    identifiers = [name for row in rows for name in re.findall(r"/dev/courriels/([0-9a-f-]{36})", row)]
    pages = [requests.get(f"{url}/dev/courriels/{name}", timeout=30).text for name in identifiers]
    return [html.unescape(re.sub(r"<[^>]+>", "", page)) for page in reversed(pages)]


def wait_for_link(url: str, address: str, path: str, seconds: float = 10) -> str:
    """The token of the newest link whose path holds `path` in the mails to an address."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for text in reversed(mails_of(url, address)):
            found = re.findall(rf"/{path}/([A-Za-z0-9_.\-]+)", text)
            if found:
                return str(found[-1]).rstrip(".")
        time.sleep(0.2)
    raise AssertionError(f"no mail to {address} has a link to {path}")
