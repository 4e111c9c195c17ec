"""The guides: they answer the questions of their readers, with the durations in force and pictures that are there."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from terristory.regions.pages import GUIDES
from terristory.settings import PROJECT_ROOT
from tests.support.client import CheckedClient
from tests.support.source import templates

PICTURES = PROJECT_ROOT / "static" / "images" / "aide"
HEAVIEST, ALTOGETHER = 60_000, 600_000
ANSWERS = {
    "demander-un-compte": ("rien-recu", "lien-expire", "mot-de-passe-oublie", "changer-adresse", "fermer"),
    "administrer-sa-region": (
        "decider", "refuser", "sans-confirmation", "ensemble", "deux-administrateurs", "roles", "exporter", "journal",
        "courriel-en-echec", "conge",
    ),
}  # fmt: skip


class Seen(HTMLParser):
    """The pictures, anchors and links of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "img" and "/images/aide/" in (given.get("src") or ""):
            self.images.append(given)
        if given.get("id"):
            self.anchors.add(str(given["id"]))
        if tag == "a":
            self.links.append(given.get("href") or "")


def seen(client: Any, guide: str, language: str = "fr") -> Seen:
    answer = client.get(f"/aide/{guide}", query_string={"lang": language})
    assert answer.status_code == 200
    return Seen(answer.get_data(as_text=True))


def size_of(picture: bytes) -> tuple[int, int]:
    """The width and height that a WebP file (extended, as Chromium writes it) says of itself."""
    assert (picture[:4], picture[8:16]) == (b"RIFF", b"WEBPVP8X"), picture[:16]
    return int.from_bytes(picture[24:27], "little") + 1, int.from_bytes(picture[27:30], "little") + 1


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_answers_the_questions_of_its_readers_and_its_contents_lead_to_the_answers(
    client: CheckedClient, guide: str, language: str
) -> None:
    page = seen(client, guide, language)
    assert set(ANSWERS[guide]) <= page.anchors
    inner = {link[1:] for link in page.links if link.startswith("#")}
    assert set(ANSWERS[guide]) <= inner <= page.anchors


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("guide", GUIDES)
def test_each_picture_is_there_light_described_and_keeps_its_place(
    client: CheckedClient, guide: str, language: str
) -> None:
    images = seen(client, guide, language).images
    assert images
    for image in images:
        name = str(image["src"]).rsplit("/", 1)[1]
        picture = (PICTURES / name).read_bytes()
        assert len(picture) <= HEAVIEST, name
        assert len(image["alt"] or "") >= 20 and not str(image["alt"]).startswith("Image"), name
        width, height = size_of(picture)
        assert width * int(image["height"] or 0) == height * int(image["width"] or 0), (name, width, height)
        with client.get(image["src"]) as served:
            assert (served.status_code, served.content_type) == (200, "image/webp")
    assert len({image["alt"] for image in images}) == len(images)


def test_every_picture_of_the_folder_stands_in_a_guide_and_they_stay_light_together(client: CheckedClient) -> None:
    files = {path.name: path.stat().st_size for path in PICTURES.iterdir()}
    shown = {str(image["src"]).rsplit("/", 1)[1] for guide in GUIDES for image in seen(client, guide).images}
    assert set(files) == shown
    assert sum(files.values()) < ALTOGETHER


def test_pages_lead_to_an_answer_that_is_there(client: CheckedClient) -> None:
    anchors = {guide: seen(client, guide).anchors for guide in GUIDES}
    ways = [
        (name, found.group(1), found.group(2) or "demander-un-compte")
        for name, text in templates()
        for found in re.finditer(r'guide_link\("([a-z-]+)", _\("[^"]+"\)(?:, "([a-z-]+)")?\)', text)
    ]
    assert {"auth/sign_in.html", "user/register.html", "user/status.html", "account/show.html", "admin/users.html"} <= {
        name for name, _anchor, _guide in ways
    }
    assert [way for way in ways if way[1] not in anchors[way[2]]] == []
    index = Seen(client.get("/aide").get_data(as_text=True))
    deep = [link.removeprefix("/aide/").split("#") for link in index.links if "#" in link and "/aide/" in link]
    assert deep and all(anchor in anchors[guide] for guide, anchor in deep)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_guides_tell_the_durations_in_force(make_app: Any) -> None:
    app = make_app(
        CONFIRMATION_SECONDS=3 * 86400, TEMPORARY_PASSWORD_SECONDS=1800, INVITATION_SECONDS=5 * 86400,
        ACCOUNT_ERASURE_DAYS=11, KEEP_AUDIT_DAYS=123, PASSWORD_MIN_LENGTH=14,
    )  # fmt: skip
    client = app.test_client()
    user = client.get("/aide/demander-un-compte").get_data(as_text=True)
    admin = client.get("/aide/administrer-sa-region").get_data(as_text=True)
    for words in ("valable 3 jours", "pendant 30 minutes", "effacées 11 jours plus tard", "14 caractères"):
        assert words in user, words
    for words in ("valable 5 jours", "y restent 123 jours"):
        assert words in admin, words


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_guide_speaks_of_no_confirmation_where_there_is_none(make_app: Any) -> None:
    page = (
        make_app(REQUIRE_MAIL_CONFIRMATION=False).test_client().get("/aide/demander-un-compte").get_data(as_text=True)
    )
    assert "ne demande pas de confirmer" in page and "confirmer.webp" not in page
