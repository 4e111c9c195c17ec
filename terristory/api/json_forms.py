"""Fill a form from a JSON body. FlaskForm would read JSON by itself, and let wrong shapes through."""

from functools import cache
from typing import Any, TypeVar

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Form
from wtforms.fields.core import UnboundField

from terristory.api.json_body import json_object
from terristory.errors import DomainError, Kind
from terristory.i18n import _

AnyForm = TypeVar("AnyForm", bound=Form)
_NEVER_IN_JSON = {"csrf_token", "ticket", "next"}


class InvalidFields(DomainError):
    """Fields that cannot be taken: `errors` maps each to its messages."""

    code = "invalid_fields"
    kind = Kind.UNPROCESSABLE

    def __init__(self, errors: dict[str, list[str]], code: str | None = None) -> None:
        super().__init__()
        self.errors = errors
        if code is not None:
            self.code = code  # type: ignore[misc]


def fill_from_json(form_class: type[AnyForm], *, lenient: bool = False, **options: Any) -> AnyForm:
    """Return a form of `form_class` filled from the request's JSON body, not yet validated.

    Raises InvalidFields for a wrong type or a field that the form does not have (mass assignment: `role`). `null`
    counts as absent. `lenient` (the drop-in routes) ignores both kinds of oddity, and takes an absent body as `{}`.
    """
    body = json_object(lenient=lenient)
    wanted = _json_types(form_class)  # type: ignore[arg-type]  # mypy: a class with a metaclass it cannot see
    given = {name: value for name, value in body.items() if value is not None}
    odd = {name: _what_is_odd(value, wanted.get(name)) for name, value in given.items()}
    faults = {_printable(name): [message] for name, message in odd.items() if message}
    if faults and not lenient:
        raise InvalidFields(faults)
    kept = MultiDict((name, item) for name, value in given.items() if not odd[name] for item in _as_form_values(value))
    form: AnyForm = form_class(formdata=kept, meta={"csrf": False}, **options)
    return form


def validated(form: AnyForm) -> AnyForm:
    """Return the form when it is valid; raises InvalidFields naming each field otherwise."""
    if not form.validate():
        raise InvalidFields({name: [str(message) for message in messages] for name, messages in form.errors.items()})
    return form


@cache
def _json_types(form_class: type[Form]) -> dict[str, type]:
    members = ((name, getattr(form_class, name)) for name in dir(form_class) if name not in _NEVER_IN_JSON)
    fields = ((name, member.field_class) for name, member in members if isinstance(member, UnboundField))
    return {name: bool if issubclass(field_class, BooleanField) else str for name, field_class in fields}


def _what_is_odd(value: Any, wanted: type | None) -> str:
    if wanted is None:
        return str(_("Ce champ n'existe pas ici."))
    if type(value) is not wanted:
        return str(_("Ce champ attend un texte.") if wanted is str else _("Ce champ attend true ou false."))
    if wanted is str and any(0xD800 <= ord(character) <= 0xDFFF or character == "\0" for character in str(value)):
        return str(_("Retirez les caractères invisibles ou de contrôle."))
    return ""


def _printable(name: str) -> str:
    return name.encode("ascii", "backslashreplace").decode()[:80]


def _as_form_values(value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["true"] if value else []
    return [value]
