"""Rules of the house that a reader should not have to check: who may do what, by file."""

import ast
import re

import pytest

from tests.support.source import calls, imports, modules, places, reads, templates

DOORS = ("pages.py", "api.py", "cli.py")


def test_only_the_database_module_commits():
    assert places(calls("commit"), but_in=("terristory/database.py",)) == []


def test_only_the_delivery_of_the_outbox_speaks_smtp():
    allowed = ("terristory/mail_outbox/delivery.py",)
    assert places(imports("smtplib"), but_in=allowed) == []
    assert places(calls("send_message"), but_in=allowed) == []


@pytest.mark.parametrize("asking", ["now", "utcnow", "today"])
def test_only_the_clock_asks_for_the_time(asking):
    on_datetime = [calls(asking, on) for on in ("datetime", "datetime.datetime", "date", "dt")]
    assert places(lambda node: any(found(node) for found in on_datetime), but_in=("terristory/clock.py",)) == []


def test_only_the_settings_read_the_environment():
    allowed = ("terristory/settings/", "wsgi.py", "terristory/operations/")
    assert places(reads("os.environ"), but_in=allowed) == []
    assert places(calls("getenv"), but_in=allowed) == []


def test_secrets_are_never_made_of_predictable_randomness():
    """`random` may spread retries (`Retry-After`) in the plumbing; no feature may touch it (RS-1)."""
    assert places(imports("random"), but_in=("terristory/api/", "terristory/web/")) == []


def test_accounts_are_looked_up_by_region_in_one_place():
    """`Session.get(User, id)` knows no region: another region's account would be found (AZ-4)."""

    def found(node: ast.AST) -> bool:
        return calls("get")(node) and bool(node.args) and ast.unparse(node.args[0]) == "User"

    assert places(found, but_in=("terristory/user/lookup.py",)) == []


@pytest.mark.parametrize("name", ["render_template_string", "from_string", "eval", "exec"])
def test_no_text_becomes_code(name):
    assert places(calls(name)) == []


def test_nothing_is_printed_but_by_commands():
    allowed = ("terristory/operations/",)
    assert places(lambda node: calls("print")(node), but_in=allowed) == []


def test_signals_do_not_steer():
    """A reader must be able to follow the calls."""
    assert places(imports("blinker")) == []


@pytest.mark.parametrize("suffix", ["utils", "helpers", "manager", "misc", "services"])
def test_every_file_says_what_it_holds(suffix):
    assert [module.name for module in modules() if module.name.endswith(f"{suffix}.py")] == []


def test_modules_stay_short_enough_to_read_at_once():
    lengths = {module.name: module.tree.body[-1].end_lineno or 0 for module in modules() if module.tree.body}
    assert {name: length for name, length in lengths.items() if length > 350} == {}


def public():
    for module in modules():
        for node in module.tree.body:
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith("_"):
                continue
            # An overload is one of the signatures of the function below it, which says the promise.
            if not any(ast.unparse(decorator) == "overload" for decorator in node.decorator_list):
                yield module, node


def test_every_public_function_and_class_says_its_promise():
    silent = [f"{module.name}:{node.lineno} {node.name}" for module, node in public() if not ast.get_docstring(node)]
    assert silent == []


def test_every_module_says_what_it_is_for():
    silent = [module.name for module in modules() if module.tree.body and not ast.get_docstring(module.tree)]
    assert silent == []


def test_every_field_of_a_person_keeps_its_french_name():
    translated = {"first_name", "last_name", "firstname", "lastname", "surname", "email", "phone", "organization"}

    def found(node: ast.AST) -> bool:
        return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id in translated

    assert places(found) == []


# Templates.

PAGES = [(name, text) for name, text in templates() if name.endswith(".html")]
# Mail programs know no style sheet: mails alone carry their styles.
MAIL = ("mail/", "layouts/mail", "macros/mail")


def without_comments(text: str) -> str:
    return re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)


@pytest.mark.parametrize(("name", "text"), PAGES, ids=[name for name, _ in PAGES])
class TestEveryHtmlTemplate:
    def test_shows_texts_literally(self, name, text):
        assert not re.search(r"\|\s*safe\b|autoescape\s+false", without_comments(text))

    def test_holds_no_inline_code(self, name, text):
        text = without_comments(text)
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text)
        assert not re.search(r"<[^>{]*\son[a-z]+\s*=", text)
        assert "javascript:" not in text

    def test_holds_no_inline_style(self, name, text):
        assert name.startswith(MAIL) or not re.search(r"<style|\sstyle\s*=", without_comments(text))

    def test_fetches_nothing_from_elsewhere(self, name, text):
        assert not re.search(r"<(?:script|link|img|iframe|source)[^>]*\b(?:src|href)\s*=\s*[\"'](?:https?:)?//", text)
