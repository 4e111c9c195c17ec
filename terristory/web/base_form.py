"""The base of all forms: texts are trimmed and normalised, control characters refused, in one place."""

import unicodedata
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, StringField, TextAreaField
from wtforms.validators import StopValidation, ValidationError

from terristory.i18n import FormWords, _, _l

# Bidirectional overrides and invisible characters that make a text read as another one (Trojan Source, UTS 39).
_DECEPTIVE = {
    chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF)
}


def tidy(text: str | None) -> str | None:
    """Trim a text and bring it to NFC, so that what looks the same is the same."""
    return unicodedata.normalize("NFC", text).strip() if isinstance(text, str) else text


def has_unprintable(text: str, *, multiline: bool = False) -> bool:
    """Return whether a text holds control, deceptive, unassigned, private or lone surrogate characters."""
    allowed = "\n\r\t" if multiline else ""
    return any(
        character not in allowed
        and (character in _DECEPTIVE or unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp"))
        for character in text
    )


class BaseForm(FlaskForm):
    """A form for both doors: pages post it, and `api.json_forms` fills the very same class from JSON."""

    class Meta(FlaskForm.Meta):
        """Tidy every text on its way in. Passwords and opaque values are no StringField subclass of ours."""

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            if issubclass(unbound_field.field_class, (TextField, TextArea)):
                options = {**options, "filters": (tidy, *options.get("filters", ()))}
            return unbound_field.bind(form=form, **options)

        def get_translations(self, form: Any) -> FormWords:
            return FormWords()


class TextField(StringField):
    """One line of printable text."""

    def pre_validate(self, form: Any) -> None:
        """Refuse what cannot be shown literally."""
        if has_unprintable(self.data or ""):
            raise ValidationError(_("Retirez les caractères invisibles ou de contrôle."))


class TextArea(TextAreaField):
    """Several lines of printable text."""

    def pre_validate(self, form: Any) -> None:
        """Refuse what cannot be shown literally."""
        if has_unprintable(self.data or "", multiline=True):
            raise ValidationError(_("Retirez les caractères invisibles ou de contrôle."))


class Filled:
    """Validator: the field must not be empty; its message tells what to do (`flags.required` for the browser)."""

    def __init__(self, message: Any = _l("Remplissez ce champ.")) -> None:
        self.message = message
        self.field_flags = {"required": True}

    def __call__(self, form: Any, field: Field) -> None:
        """Refuse an empty value and stop there: no second message for the same field."""
        if not field.data:
            raise StopValidation(str(self.message))


class AtMost:
    """Validator: at most `most` code points."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.field_flags = {"maxlength": most}

    def __call__(self, form: Any, field: Field) -> None:
        """Refuse a longer text."""
        if len(field.data or "") > self.most:
            raise ValidationError(_("Raccourcissez ce texte : %(most)s caractères au plus.", most=self.most))
