"""Every mail, in both languages, word for word: a change of words or of layout is seen by whoever reviews it.

`RENEW_SNAPSHOTS=1` before the test command writes them anew; read the difference before you commit it.
"""

import os
from pathlib import Path

import pytest
from flask import Flask

from terristory.i18n import LANGUAGES
from tests.support.mails import MAILS, rendered

SNAPSHOTS = Path(__file__).parent.parent / "snapshots" / "mails"
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def files_of(template: str, langue: str) -> tuple[Path, Path]:
    """Where the two parts are kept."""
    name = template.replace("/", ".")
    return SNAPSHOTS / f"{name}.{langue}.txt", SNAPSHOTS / f"{name}.{langue}.html"


@pytest.mark.parametrize("langue", LANGUAGES)
@pytest.mark.parametrize("template", MAILS)
def test_a_mail_says_what_was_agreed(app: Flask, template: str, langue: str) -> None:
    mail = rendered(app, template, langue)
    text, html = files_of(template, langue)
    found = (f"{mail.subject}\n\n{mail.text}", mail.html + "\n")
    if os.environ.get("RENEW_SNAPSHOTS"):
        SNAPSHOTS.mkdir(parents=True, exist_ok=True)
        text.write_text(found[0], encoding="utf-8")
        html.write_text(found[1], encoding="utf-8")
    assert found[0] == text.read_text(encoding="utf-8")
    assert found[1] == html.read_text(encoding="utf-8")


def test_no_snapshot_is_left_of_a_mail_that_is_gone(app: Flask) -> None:
    known = {path for template in MAILS for langue in LANGUAGES for path in files_of(template, langue)}
    assert set(SNAPSHOTS.iterdir()) == known
