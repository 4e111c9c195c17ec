"""What the privacy page tells against what the service does: cookies and their lives, the notice and its version."""

import hashlib
import html
import re
from http.cookies import SimpleCookie

from terristory.clock import utc_now
from terristory.database import transaction
from terristory.operations.opening import change_description
from terristory.regions.catalogue import OWED_TO_PEOPLE
from terristory.settings import PROJECT_ROOT
from terristory.user.create_user import INFORMATION_VERSION
from tests.support.client import CheckedClient
from tests.support.environment import PASSWORD
from tests.support.people import an_account

MAIL = "jeanne@exemple.fr"
DAY = 86400
# The life that the page tells of each cookie, in seconds; None: until the browser closes.
TOLD = {
    "15 minutes": 900, "14 jours": 14 * DAY, "13 mois": 395 * DAY, "12 mois": 365 * DAY,
    "Jusqu'à la fermeture du navigateur": None,
}  # fmt: skip
# Another wording of the notice gets another version: people have said to have read the one that they saw.
NOTICES = {"2026-1": "dc9db78d6ae64968"}


def words(client: CheckedClient, path: str) -> str:
    return html.unescape(client.get(path).get_data(as_text=True))


def cookies_told(page: str) -> dict[str, str]:
    """The cookies of the page's table, each with the words for its life."""
    rows = re.findall(r'<tr><th scope="row">([^<]+)</th>.*?</td><td[^>]*>([^<]+)</td></tr>', page)
    return {name: life for names, life in rows for name in names.split(", ")}


def test_the_page_names_every_cookie_that_is_set_and_its_life(client: CheckedClient) -> None:
    an_account(MAIL)
    page = words(client, "/bretagne/connexion?lang=fr")
    form = dict(re.findall(r'name="(csrf_token|ticket)"[^>]*value="([^"]*)"', page))
    first = client.get("/bretagne/inscription?lang=fr")
    signed_in = client.post("/bretagne/connexion", data={**form, "login": MAIL, "password": PASSWORD})
    assert signed_in.status_code == 303
    given: SimpleCookie = SimpleCookie()
    for answer in (first, signed_in):
        for line in answer.headers.getlist("Set-Cookie"):
            given.load(line)
    told = cookies_told(words(client, "/bretagne/donnees-personnelles"))
    assert set(given) == set(told)
    for name, cookie in given.items():
        expected = TOLD[told[name]]
        if expected is None:
            assert cookie["max-age"] == "" and cookie["expires"] == ""
        else:
            assert abs(int(cookie["max-age"]) - expected) <= expected * 0.05, (name, cookie["max-age"])


def test_a_new_wording_of_the_notice_gets_a_new_version() -> None:
    source = (PROJECT_ROOT / "templates" / "user" / "register.html").read_text()
    privacy = (PROJECT_ROOT / "templates" / "regions" / "privacy.html").read_text()
    panel = source[source.index('<div class="panel">') : source.index("{{ checkbox(form.information_lue) }}")]
    texts = re.findall(r'_\("([^"]+)"', panel) + re.findall(r'_\("([^"]+)"', privacy)
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
    assert NOTICES[INFORMATION_VERSION] == digest, f"{INFORMATION_VERSION} was another text; this one is {digest}"


def test_a_region_prints_who_answers_for_the_data(client: CheckedClient) -> None:
    said = {name: f"{name} de la région" for name in OWED_TO_PEOPLE}
    with transaction():
        change_description("bretagne", said, now=utc_now())
    both = words(client, "/bretagne/donnees-personnelles") + words(client, "/bretagne/mentions-legales")
    assert [text for text in said.values() if text not in both] == []
