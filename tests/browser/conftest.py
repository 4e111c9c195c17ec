"""One service for all the tests of a module, and people in it: a browser test is about pages, not about starting up."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from terristory.clock import utc_now
from tests.support.accessibility import FOUND, RENEWING
from tests.support.environment import service_environment
from tests.support.json_client import JsonClient, wait_for_link
from tests.support.pages import watched_page
from tests.support.server import Server, running_server

ADMIN_PASSWORD = "moulin orage boussole 3 tiroirs"
MEMBER_PASSWORD = "girafe violon tempête 7 carottes"

SignIn = Callable[[Page, str, str], None]
MakeMember = Callable[[str], JsonClient]


@pytest.fixture(scope="session", autouse=True)
def statement(request: pytest.FixtureRequest) -> Iterator[None]:
    """Write what the tests found, be it good or bad, when the accessibility statement is renewed."""
    chromium = request.getfixturevalue("chromium").version if RENEWING else ""
    yield
    if RENEWING:
        FOUND.write(utc_now().date(), chromium)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service on an SQLite file of its own, without limits by count."""
    folder = tmp_path_factory.mktemp("served")
    database = f"sqlite:///{folder / 'served.sqlite'}"
    environ = service_environment(DATABASE_URL=database, RATE_LIMITS=False, NO_SCRIPT_WAIT_SECONDS=1)
    with running_server(folder, environ) as server:
        yield server


@pytest.fixture(scope="module")
def admin(served: Server) -> JsonClient:
    """The first administrator, who has chosen ADMIN_PASSWORD."""
    first = served.first_admin()
    client = JsonClient(served.url, first["region"])
    client.sign_in_first_time(first["mail"], first["temporary password"], ADMIN_PASSWORD)
    return client


@pytest.fixture(scope="module")
def make_applicant(served: Server) -> MakeMember:
    """Make an account whose address is confirmed, with MEMBER_PASSWORD: `make_applicant("a@b.test")`."""

    def make(mail: str) -> JsonClient:
        client = JsonClient(served.url)
        assert client.ask_for_account(mail, motif="Suivre notre plan climat.").status_code == 201
        token = wait_for_link(served.url, mail, "confirmer")
        answer = client.call("POST", "/user/confirm", {"token": token, "password": MEMBER_PASSWORD})
        assert answer.status_code == 204, answer.text
        return client

    return make


@pytest.fixture(scope="module")
def make_member(admin: JsonClient, make_applicant: MakeMember) -> MakeMember:
    """Make an active account with MEMBER_PASSWORD: `make_member("a@b.test")`."""

    def make(mail: str) -> JsonClient:
        client = make_applicant(mail)
        found = admin.call("GET", f"/admin/users?q={mail}").json()["users"]
        assert admin.call("POST", f"/admin/users/{found[0]['id']}/activate", {}).status_code == 200
        return client

    return make


@pytest.fixture(scope="module")
def sign_in(served: Server) -> SignIn:
    """Sign in as people do: `sign_in(page, mail, password)`."""

    def do(page: Page, mail: str, password: str) -> None:
        page.goto(f"{served.url}/bretagne/connexion")
        page.get_by_label("Adresse électronique (obligatoire)").fill(mail)
        page.get_by_label("Mot de passe (obligatoire)", exact=True).fill(password)
        page.get_by_role("main").get_by_role("button", name="Se connecter").click()
        page.wait_for_load_state()

    return do


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page in light whose complaints fail the test, for checks of what every page owes."""
    context = chromium.new_context(locale="fr-FR", color_scheme="light")
    context.set_default_timeout(15_000)
    with watched_page(context) as page:
        yield page
    context.close()
