"""The promised words stand on the pages that people get, not only in the source; the words of programs never do."""

import re

import pytest

from terristory.user.models import Role, Status
from tests.http.test_admin_pages import LIST, sign_in, text_of
from tests.support.people import an_account

JARGON = re.compile(r"\b(login|e-?mail|user|token|captcha)s?\b", re.IGNORECASE)
OF_A_REQUEST = [
    "Prénom (obligatoire)", "Nom (obligatoire)", "Adresse électronique professionnelle (obligatoire)",
    "Par exemple : prenom.nom@communaute.fr. Elle servira à vous connecter.", "Organisation (obligatoire)",
    "Collectivité, agence, bureau d'études… Si vous n'en avez pas, écrivez « Particulier ».",
    "Fonction (facultatif)", "Territoire qui vous intéresse (facultatif)",
    "Pourquoi demandez-vous un compte ? (facultatif)", "Quelques mots aident à vous répondre plus vite.",
    "J'ai lu l'information sur mes données personnelles (obligatoire)", "Envoyer ma demande",
]  # fmt: skip
ON_PUBLIC_PAGES = {
    "/": [
        "TerriSTORY – votre compte", "Choisissez votre région", "Vous demandez un compte",
        "Vous confirmez votre adresse", "Un administrateur de votre région valide", "Vous vous connectez",
        "TerriSTORY aide les territoires à connaître et à conduire leur transition énergétique et climatique. "
        "Avec un compte de votre région, vous accédez aux services réservés aux acteurs du territoire.",
    ],
    "/bretagne/": ["Se connecter", "Demander un compte"],
    "/bretagne/inscription": ["Demander un compte – TerriSTORY Bretagne", *OF_A_REQUEST],
    "/bretagne/connexion": [
        "Se connecter", "Adresse électronique (obligatoire)", "Mot de passe (obligatoire)", "Mot de passe oublié ?",
    ],
    "/bretagne/mot-de-passe/oublie": ["Recevoir un mot de passe provisoire", "Envoyer"],
}  # fmt: skip
MORE_PAGES = [
    "/aide", "/aide/demander-un-compte", "/aide/administrer-sa-region", "/bretagne/mentions-legales",
    "/bretagne/donnees-personnelles", "/accessibilite", "/bretagne/confirmer/inconnu", "/nulle-part/du-tout",
]  # fmt: skip
STATES = {
    Status.UNCONFIRMED: "À confirmer", Status.AWAITING: "À examiner", Status.ACTIVE: "Actif",
    Status.REFUSED: "Refusé", Status.DISABLED: "Désactivé",
}  # fmt: skip


@pytest.mark.parametrize("path", ON_PUBLIC_PAGES)
def test_a_public_page_says_the_promised_words(client, path):
    text = text_of(client.get(path))
    assert [words for words in ON_PUBLIC_PAGES[path] if words not in text] == []


@pytest.mark.parametrize("path", [*ON_PUBLIC_PAGES, *MORE_PAGES])
def test_a_public_page_says_no_word_of_programs(client, path):
    answer = client.get(path)
    # The accessibility statement lists the addresses of pages as the routes spell them.
    answer.data = re.sub(rb"<code>/[^<]*</code>", b"", answer.data)
    assert JARGON.findall(text_of(answer)) == []


def test_the_desk_names_each_state_and_says_no_word_of_programs(client):
    an_account("anne@brest.test", role=Role.ADMIN, prenom="Anne", nom="Admin")
    ids = {status: an_account(f"{status.value}@brest.test", status=status) for status in STATES}
    sign_in(client, "anne@brest.test")
    for status, words in STATES.items():
        answer = client.get(f"{LIST}/{ids[status]}")
        assert re.search(rf'<span class="badge [^"]*">{words}</span>', answer.get_data(as_text=True))
        page = text_of(answer)
        assert status != Status.ACTIVE or "Utilisateur" in page
        assert JARGON.findall(page.replace(f"{status.value}@brest.test", "")) == []
    queue = text_of(client.get(LIST))
    assert "Demandes à examiner (1)" in queue
    assert "Administrateur" in text_of(client.get(f"{LIST}?status=all"))
    waiting = text_of(client.get(f"{LIST}/{ids[Status.AWAITING]}"))
    reason = "Motif du refus (obligatoire) – ce texte sera envoyé au demandeur"
    assert [words for words in ("Valider le compte", "Refuser la demande", reason) if words not in waiting] == []
    unconfirmed = text_of(client.get(f"{LIST}/{ids[Status.UNCONFIRMED]}"))
    assert "Valider sans confirmation de l'adresse" in unconfirmed
    assert "Adresse non confirmée" in unconfirmed


@pytest.mark.parametrize("page", ["", "/profil", "/adresse", "/sessions", "/donnees", "/fermeture"])
def test_the_pages_of_an_account_say_no_word_of_programs(client, page):
    an_account("jeanne@brest.test")
    sign_in(client, "jeanne@brest.test")
    assert JARGON.findall(text_of(client.get(f"/bretagne/compte{page}"))) == []
