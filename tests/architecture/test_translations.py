"""The words: French in the source, letter by letter where they are promised, and all of them in English."""

import ast
import re
from functools import cache

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from terristory.settings import PROJECT_ROOT
from tests.support.client import CheckedClient
from tests.support.source import modules, templates

ENGLISH = PROJECT_ROOT / "terristory/translations/en/LC_MESSAGES/messages.po"
MARKERS = ("_", "_l", "gettext", "lazy_gettext", "ngettext")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
# Promised word for word; {} stands for whatever the sentence takes in. A long promise may be shown in several pieces.
FROZEN = """
À confirmer|À examiner|Actif|Refusé|Désactivé|Utilisateur|Administrateur
Demander un compte|Prénom (obligatoire)|Nom (obligatoire)|Adresse électronique professionnelle (obligatoire)
Par exemple : prenom.nom@communaute.fr. Elle servira à vous connecter.|Organisation (obligatoire)
Collectivité, agence, bureau d'études… Si vous n'en avez pas, écrivez « Particulier ».
Fonction (facultatif)|Territoire qui vous intéresse (facultatif)|Pourquoi demandez-vous un compte ? (facultatif)
Quelques mots aident à vous répondre plus vite.|J'ai lu l'information sur mes données personnelles (obligatoire)
Envoyer ma demande|Vérification automatique en cours…|Vérification terminée.
La vérification n'a pas abouti ; vous pouvez tout de même envoyer votre demande.
Consultez votre messagerie|Renvoyer le message|Adresse mal saisie ? Reprendre ma demande
Nous avons envoyé un message à {}. Ouvrez-le et suivez le lien : votre demande sera alors transmise à la région {}. \
Rien reçu au bout de dix minutes ? Regardez dans les indésirables.
Confirmez votre adresse|Créez un mot de passe (obligatoire)|Confirmer mon adresse|Adresse confirmée
{} caractères au moins. Par exemple quatre mots sans lien entre eux (n'utilisez pas un exemple trouvé ailleurs).
Votre demande est à l'étude|Actualiser|Votre demande n'a pas été acceptée|Une question : {}.
Envoyée le {}. Un administrateur de la région {} va l'examiner{}. Vous n'avez rien d'autre à faire : vous recevrez un \
courriel dès sa décision. D'ici là, vous ne pouvez pas encore vous connecter.
Votre compte est désactivé. Contactez {}.
Se connecter|Adresse électronique (obligatoire)|Mot de passe (obligatoire)|Mot de passe oublié ?
L'adresse électronique ou le mot de passe est incorrect.
Vous êtes connecté à {}. Pour {}, connectez-vous avec le compte de cette région.
Vous restez connecté 14 jours sur cet appareil. Sur un ordinateur partagé, déconnectez-vous en partant.
Recevoir un mot de passe provisoire|Envoyer|pendant une heure
Si un compte actif existe pour {}, un mot de passe provisoire vient d'être envoyé. Il sert une seule fois, {}. \
Votre mot de passe actuel reste valable.
Ce mot de passe provisoire a expiré ou a déjà servi.|En recevoir un autre
Votre mot de passe provisoire (minuscules et chiffres, à copier tel quel) :
Valable jusqu'à {}, une seule fois. Si votre téléphone remplit l'ancien mot de passe, effacez-le d'abord. Vous en \
choisirez un nouveau juste après. Vous n'avez rien demandé ? Ne faites rien : votre mot de passe ne change pas.
Choisissez un nouveau mot de passe|Demandes à examiner ({})|Valider le compte|Refuser la demande
Motif du refus (obligatoire) – ce texte sera envoyé au demandeur
Valider sans confirmation de l'adresse|Adresse non confirmée|Envoyée sans vérification automatique
TerriSTORY – votre compte|Choisissez votre région
TerriSTORY aide les territoires à connaître et à conduire leur transition énergétique et climatique. Avec un compte \
de votre région, vous accédez aux services réservés aux acteurs du territoire.
Vous demandez un compte|Vous confirmez votre adresse|Un administrateur de votre région valide|Vous vous connectez
""".replace("\\\n", "").strip()
FROZEN_SUBJECTS = {
    "Confirmez votre adresse électronique": "Confirm your email address",
    "Votre demande de compte est à l'étude": "Your account request is under review",
    "Votre compte est activé": "Your account is active",
    "Votre demande de compte n'a pas été acceptée": "Your account request was not accepted",
    "Nouvelle demande de compte à examiner": "New account request to review",
    "Demandes de compte en attente": "Account requests waiting",
    "Vous avez déjà un compte": "You already have an account",
    "Votre mot de passe provisoire": "Your temporary password",
    "Votre mot de passe a été modifié": "Your password was changed",
    "Nouvelle connexion à votre compte": "New sign-in to your account",
    "Une session a été fermée par sécurité": "A session was closed for safety",
    "Confirmez votre nouvelle adresse": "Confirm your new address",
    "Votre adresse a été modifiée": "Your address was changed",
    "Votre compte est désactivé": "Your account is disabled",
    "Votre compte est de nouveau actif": "Your account is active again",
    "Fermeture de votre compte": "Your account is being closed",
    "Votre compte va être supprimé faute d'utilisation": "Your account will be deleted because it is unused",
}
# Said only to programs, by the JSON API: its own values are named as they are written.
FOR_PROGRAMS = {
    "Choisissez un rôle : user ou admin.",
    "Cet événement n'existe pas ; par exemple : user.activated.",
}
# Names that every language shares: the service, its cookies, its commands, classes of the style sheet, techniques.
SAME_IN_EVERY_LANGUAGE = {
    "TerriSTORY", "access_token", "refresh_token", "csrf_token", "device", "session", "langue", "flask", "app", "wsgi",
    "users", "activate", "role", "region", "mail", "admin", "hint", "error", "captcha", "status",
    "HTML", "CSS", "SVG", "JavaScript", "Chromium", "axe", "core",
}  # fmt: skip
PUBLIC_PAGES = [
    "/", "/bretagne/", "/bretagne/inscription", "/bretagne/connexion", "/bretagne/mot-de-passe/oublie", "/aide",
    "/aide/demander-un-compte", "/aide/administrer-sa-region", "/bretagne/mentions-legales",
    "/bretagne/donnees-personnelles", "/accessibilite", "/bretagne/confirmer/inconnu", "/nulle-part/du-tout",
]  # fmt: skip


@cache
def source_texts() -> frozenset[str | tuple[str, ...]]:
    """Return every text that the source marks for translation, found as `make messages` finds them."""
    with (PROJECT_ROOT / "babel.cfg").open() as config:
        methods, options = parse_mapping_cfg(config)
    found = extract_from_dir(PROJECT_ROOT, methods, options, keywords={**DEFAULT_KEYWORDS, "_l": None})
    return frozenset(text for _file, _line, text, _comments, _context in found)


@cache
def english() -> Catalog:
    """Return the English catalogue."""
    with ENGLISH.open("rb") as file:
        return read_po(file, locale="en")


def forms(texts: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Return the singular and the plural of a message, or its only form."""
    return (texts,) if isinstance(texts, str) else tuple(texts)


def pairs() -> list[tuple[str, str]]:
    """Return each French text with its English one, plurals apart."""
    return [pair for one in english() if one.id for pair in zip(forms(one.id), forms(one.string), strict=True)]


def placeholders(text: str) -> list[str]:
    """Return the names that a text takes in, sorted."""
    return sorted(named or braced for named, braced in PLACEHOLDER.findall(text))


def test_every_text_of_the_source_is_in_the_catalogue_and_nothing_else() -> None:
    in_catalogue = {one.id if isinstance(one.id, str) else tuple(one.id) for one in english() if one.id}
    assert sorted(source_texts() - in_catalogue, key=str) == [], "run `make messages`, then translate"
    assert sorted(in_catalogue - source_texts(), key=str) == [], "run `make messages`"


def test_every_text_is_translated() -> None:
    def lacking(one: Message) -> bool:
        return one.fuzzy or not all(text.strip() for text in forms(one.string))

    assert [one.id for one in english() if one.id and lacking(one)] == []


def test_both_languages_take_in_the_same_values() -> None:
    assert [french for french, text in pairs() if placeholders(french) != placeholders(text)] == []


@pytest.mark.parametrize(("french", "english_word"), [("(obligatoire)", "(required)"), ("(facultatif)", "(optional)")])
def test_a_label_says_in_both_languages_whether_it_must_be_filled(french: str, english_word: str) -> None:
    assert [text for text, said in pairs() if (french in text) != (english_word in said)] == []


def test_english_is_typeset_as_english() -> None:
    assert [said for _, said in pairs() if re.search(r"[«»]|\s[:;?!]", said)] == []


def test_only_literal_texts_are_marked_for_translation() -> None:
    """A computed text would never be found, nor translated."""
    odd = [
        f"{module.name}:{call.lineno}"
        for module in modules()
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MARKERS
        if not (call.args and isinstance(call.args[0], ast.Constant))
    ]
    parser = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)
    for name, text in templates():
        for call in parser.parse(text).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name in MARKERS:
                odd += [f"{name}:{call.lineno}"] if not isinstance(call.args[0], nodes.Const) else []
    assert odd == []


def test_templates_say_nothing_that_is_not_marked_for_translation() -> None:
    """What remains without Jinja and HTML is shown as it is, in one language."""
    not_words = re.compile(
        r"{#.*?#}|{% block (?:width|robots) %}\w+{% endblock %}|{%.*?%}|{{.*?}}|<style.*?</style>", re.DOTALL
    )
    left = {
        (name, word)
        for name, text in templates()
        for word in re.findall(r"[^\W\d]{3,}", re.sub(r"<[^>]*>", " ", not_words.sub(" ", text)))
        if word not in SAME_IN_EVERY_LANGUAGE
    }
    assert sorted(left) == []


@pytest.mark.parametrize("text", [text for line in FROZEN.splitlines() for text in line.split("|")])
def test_the_source_keeps_the_promised_words(text: str) -> None:
    said = {PLACEHOLDER.sub("{}", form) for one in source_texts() for form in forms(one)}
    assert text in said


def test_mails_have_the_promised_subjects_in_both_languages() -> None:
    written = {text.strip() for name, text in templates() if name.endswith("/subject.txt")}
    assert written == {f'{{{{ _("{subject}") }}}}' for subject in FROZEN_SUBJECTS}
    assert {french: said for french, said in pairs() if french in FROZEN_SUBJECTS} == FROZEN_SUBJECTS


def test_people_never_read_the_words_of_programs() -> None:
    jargon = re.compile(r"\b(login|e-?mail|user|token|captcha)s?\b", re.IGNORECASE)
    assert [text for text, _ in pairs() if jargon.search(text) and text not in FOR_PROGRAMS] == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", PUBLIC_PAGES)
def test_an_english_page_has_no_french_sentence_left(client: CheckedClient, path: str) -> None:
    page = client.get(path, query_string={"lang": "en"}, follow_redirects=True).text
    shown = re.sub(r"&#39;", "'", re.sub(r"<[^>]+>", "\n", page))
    lines = {line.strip() for line in shown.splitlines()}
    assert "Skip to main content" in lines
    assert sorted(french for french, said in pairs() if french != said and french in lines) == []
