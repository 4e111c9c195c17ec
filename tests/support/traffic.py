"""People at work on a running service while something happens to it: members who come and go, applicants."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import requests

from tests.support.captcha import captcha_from

REGION = "bretagne"
Call = Callable[..., requests.Response]


@dataclass
class Traffic:
    """What people were told. `faults` holds every answer nobody should get; `repeated` counts acts asked again.

    With `patient`, a client whose connection fails or who gets a 503 asks again, as a person would; otherwise that is a
    fault.
    """

    url: str
    verify: str | bool = True
    patient: bool = False
    registered: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    repeated: Counter[str] = field(default_factory=Counter)
    stopping: threading.Event = field(default_factory=threading.Event)
    _numbers: Iterator[int] = field(default_factory=count)

    def applicant(self) -> None:
        """Ask for one account after the other, each with an address of its own."""
        session = self._session()
        while not self.stopping.is_set():
            mail = f"applicant{next(self._numbers)}@brest.test"
            # A host that dies between its commit and its answer has spent the captcha: the form asks for another.
            for _attempt in range(2):
                answer = self._ask(session, "register", "POST", "/user", partial(self._application, mail), {201, 422})
                if answer is None or answer.status_code == 201:
                    break
                self.repeated["register"] += 1
            if answer is not None and answer.status_code == 201:
                self.registered.append(mail)
            elif answer is not None:
                self.faults.append(f"register: {answer.text}")

    def member(self, mail: str, password: str, device: str) -> None:
        """Sign in, ask who one is, refresh, use the new token, sign out; and again."""
        session = self._session()
        account = {"login": mail, "password": password, "device": device}
        while not self.stopping.is_set():
            opened = self._ask(session, "sign in", "POST", "/auth", lambda: account, {200})
            if opened is None:
                continue
            tokens = opened.json()
            self._ask(session, "me", "GET", "/auth/me", None, {200}, tokens["access_token"])
            refresh = {"refresh_token": tokens["refresh_token"]}
            renewed = self._ask(session, "refresh", "POST", "/auth/refresh", partial(dict, refresh), {200})
            if renewed is not None:
                token = renewed.json()["access_token"]
                self._ask(session, "me", "GET", "/auth/me", None, {200}, token)
                self._ask(session, "sign out", "POST", "/auth/logout", None, {204}, token)

    def _application(self, mail: str) -> dict[str, Any]:
        captcha = self._insist(lambda: captcha_from(self.url, REGION, "create_user", self._session()), "captcha")
        person = {"prenom": "Jeanne", "nom": "Le Goff", "organisation": "Brest métropole"}
        return {**person, "mail": mail, "information_lue": True, "captcha": captcha}

    def _ask(
        self,
        session: requests.Session,
        name: str,
        method: str,
        path: str,
        body: Callable[[], dict[str, Any]] | None,
        expected: set[int],
        token: str = "",
    ) -> requests.Response | None:
        """Ask once (or patiently); None when the answer was a fault, or when the end came before any answer."""

        def once() -> requests.Response:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            sent = body() if body else None
            answer = session.request(method, f"{self.url}/api/{REGION}{path}", json=sent, headers=headers, timeout=40)
            if answer.status_code == 503:
                answer.raise_for_status()
            return answer

        try:
            answer = self._insist(once, name)
        except requests.RequestException as error:
            self.faults.append(f"{name}: {type(error).__name__} {str(error)[:200]}")
            return None
        self.answers[f"{name} {answer.status_code}"] += 1
        if answer.status_code not in expected:
            self.faults.append(f"{name}: {answer.status_code} {answer.text[:200]}")
            return None
        return answer

    def _insist(self, act: Callable[[], Any], name: str) -> Any:
        until = time.monotonic() + 40
        while True:
            try:
                return act()
            except (requests.ConnectionError, requests.HTTPError):
                if not self.patient or time.monotonic() > until:
                    raise
                self.repeated[name] += 1
                time.sleep(0.2)

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.verify = self.verify
        return session


@contextmanager
def going_on(traffic: Traffic, *people: Callable[[], None]) -> Iterator[Traffic]:
    """Have these people at work for the time of a `with`; each ends with the answer to its last request."""
    threads = [threading.Thread(target=person, daemon=True) for person in people]
    for thread in threads:
        thread.start()
    try:
        yield traffic
    finally:
        traffic.stopping.set()
        for thread in threads:
            thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "somebody got no answer"
