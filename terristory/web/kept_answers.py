"""A form whose token no longer counts comes back with its answers: nobody types a long form twice for it."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, current_app, request

View = TypeVar("View", bound=Callable[..., Any])


def keeps_answers(view: View) -> View:
    """Mark a view that shows its form again, with what was typed, when the form's token no longer counts.

    Its act must stand behind the `validate()` of a BaseForm: that is where the token is judged once more, and refused.
    """
    view.keeps_answers = True  # type: ignore[attr-defined]
    return view


def page_with_answers() -> Response | None:
    """Return the marked view's own page about the form that was sent, as a 400; None where it has nothing to show.

    Whatever goes wrong in the view is answered as ever.
    """
    view: Callable[..., Any] | None = current_app.view_functions.get(request.endpoint or "")
    if view is None or not getattr(view, "keeps_answers", False):
        return None
    try:
        response = current_app.make_response(view(**(request.view_args or {})))
    except Exception as error:
        return current_app.make_response(current_app.handle_user_exception(error))
    # A redirection leads away from the answers: to the sign-in, or to where somebody signed in already is sent.
    if 300 <= response.status_code < 400:
        return None
    if response.status_code in (200, 422):
        response.status_code = 400
    return response
