"""Solving the automatic check as a client does, with the altcha package."""

from typing import Any, Protocol

import altcha
import requests


class Getter(Protocol):
    """Anything with a `get`: Flask's test client, or a session of requests."""

    def get(self, path: str, /) -> Any: ...


def solved_captcha(client: Getter, region: str, form: str) -> str:
    """Fetch a challenge through a test client (or anything with `get(path)`), solve it, return the field's value."""
    response = client.get(f"/api/{region}/captcha?form={form}")
    assert response.status_code == 200, response.get_data(as_text=True)
    return solved(response.get_json())


def captcha_from(base_url: str, region: str, form: str, session: Any = requests) -> str:
    """The same from a server that runs at `base_url`; `session` may be a requests.Session."""
    response = session.get(f"{base_url}/api/{region}/captcha", params={"form": form}, timeout=10)
    response.raise_for_status()
    return solved(response.json())


def solved(challenge_json: dict[str, Any]) -> str:
    """Solve a challenge and return it as the base64 payload that goes into the field `captcha`."""
    challenge = altcha.Challenge.from_dict(challenge_json)
    solution = altcha.solve_challenge(challenge)
    assert solution is not None, "no solution within the library's time"
    return altcha.Payload(challenge, solution).to_base64()
