"""JSON endpoints of the feature: signing in, who I am, whether a token counts, refreshing, leaving, the public keys."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from terristory.api.json_body import json_object
from terristory.api.json_forms import fill_from_json, validated
from terristory.api.problems import Refused, problem
from terristory.auth.access_token import Claims, verified_claims
from terristory.auth.authenticate import Failed, Throttled
from terristory.auth.cookies import (
    clear_session_cookies,
    cookie_names,
    set_session_cookies,
    the_cookie,
    visit_of_request,
)
from terristory.auth.forms import ApiSignInForm, SignedIn, SignInForm, sign_in
from terristory.auth.guards import (
    Fault,
    caller,
    identify,
    members_only,
    presented_token,
    refuse,
    require_csrf_token,
    require_open_region,
    require_same_origin,
)
from terristory.auth.refresh_token import Held, retrieve_refresh_token
from terristory.auth.sessions import Opened, renew_session, sign_out
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.errors import Kind
from terristory.regions.models import Region
from terristory.user.json_views import account_json
from terristory.web.access import open_to_all
from terristory.web.rate_limits import keep_own_retry_after, limited
from terristory.web.settings_in_force import settings_in_force

api = Blueprint("auth_api", __name__, url_prefix="/api")
well_known = Blueprint("well_known", __name__, url_prefix="/.well-known")


@api.post("/<region:region>/auth")
@api.post("/<region:region>/auth/")
@open_to_all
@limited("sign_in")
def authenticate(region: Region) -> ResponseReturnValue:
    """Sign an API client in (the seed's authenticate): the tokens go into the body, and no cookie is set.

    A client that names its `device` has a refresh token of its own, which rotates; the others share a stable one.
    """
    require_same_origin()
    form = fill_from_json(ApiSignInForm, lenient=True)
    if not form.login.data or not form.password.data:
        return _authentication_failed("invalid_credentials")
    outcome = sign_in(form, region, visit_of_request(form.device.data, by_browser=False))
    if not isinstance(outcome, SignedIn):
        return _not_signed_in(outcome)
    response = current_app.json.response(outcome.opened.tokens_json())
    response.headers["Cache-Control"] = "no-store"
    return response


@api.post("/<region:region>/user/auth")
@open_to_all
@limited("sign_in")
def authenticate_user(region: Region) -> ResponseReturnValue:
    """Sign in through a browser front end: the tokens go into cookies only, the body tells who it is."""
    require_same_origin()
    outcome = sign_in(validated(fill_from_json(SignInForm)), region, visit_of_request(by_browser=True))
    if not isinstance(outcome, SignedIn):
        return _not_signed_in(outcome)
    body = {**account_json(outcome.who.user), "user_id": outcome.who.user_id}
    if outcome.opened.must_change_password:
        body["password_change_required"] = True
    response = current_app.json.response({"me": body})
    response.headers["Cache-Control"] = "no-store"
    set_session_cookies(response, outcome.opened)
    return response


@api.get("/<region_key:region_key>/auth/me")
@api.get("/<region_key:region_key>/auth/me/")
@members_only(temporary=True)
def me(region_key: str) -> ResponseReturnValue:
    """Answer the account that calls (the seed's retrieve_user)."""
    here = caller()
    body = {**account_json(here.row), "user_id": {"mail": here.mail, "region": here.region}}
    if here.must_change_password:
        body["password_change_required"] = True
    return current_app.json.response({"me": body})


@api.get("/<region_key:region_key>/auth/verify")
@api.get("/<region_key:region_key>/auth/verify/")
@open_to_all
def verify(region_key: str) -> ResponseReturnValue:
    """Answer whether the token counts here and now, in the words of the original API."""
    found = identify(region_key)
    if not isinstance(found, Fault):
        return current_app.json.response({"valid": True})
    require_open_region(region_key)
    if found is Fault.BAD_HEADER:
        raise Refused(
            Kind.MALFORMED, "invalid_header", exception="InvalidAuthorizationHeader", reason=found.value,
            extra={"valid": False},
        )  # fmt: skip
    if found is Fault.ABSENT:
        raise Refused(
            Kind.UNAUTHENTICATED, "unauthenticated", exception="MissingAuthorizationHeader", reason=found.value,
            extra={"valid": False},
        )  # fmt: skip
    refused = refuse(found)
    refused.exception, refused.extra = "InvalidToken", {"valid": False}
    raise refused


@api.post("/<region:region>/auth/refresh")
@api.post("/<region:region>/auth/refresh/")
@open_to_all
@limited("refresh")
def refresh(region: Region) -> ResponseReturnValue:
    """Use a refresh token, from the body or from the cookie, and answer the tokens that follow."""
    given = _refresh_token_of_body()
    presented = given or the_cookie(cookie_names().refresh)
    if presented is None:
        raise Refused(
            Kind.MALFORMED, "missing_refresh_token", exception="MissingRefreshToken",
            reason="Refresh token not present.",
        )  # fmt: skip
    if given is None:
        _require_csrf_of(retrieve_refresh_token(presented))
    account, settings, now = _account_of_access_token(region, by_cookie=given is None), settings_in_force(), utc_now()
    outcome = renew_session(
        presented,
        region=region.key,
        of_account=account,
        access_seconds=settings.access_token_seconds,
        grace_seconds=settings.refresh_grace_seconds,
        idle_seconds=settings.session_idle_seconds,
        now=now,
    )
    if not isinstance(outcome, Opened):
        return _authentication_failed("authentication_failed")
    response = current_app.json.response(outcome.tokens_json())
    if given is None:
        set_session_cookies(response, outcome)
    return response


@api.post("/<region:region>/auth/logout")
@api.post("/<region:region>/auth/logout/")
@open_to_all
def logout(region: Region) -> ResponseReturnValue:
    """End the session that the request names by any of its tokens, expired or not; repeating is no error."""
    leaving = _session_that_leaves(region)
    if leaving is not None:
        with transaction():
            sign_out(region.key, *leaving, now=utc_now())
    response = Response(status=204)
    clear_session_cookies(response)
    return response


@well_known.get("/jwks.json")
@open_to_all
def jwks() -> ResponseReturnValue:
    """Answer the public keys that verify our access tokens (RFC 7517)."""
    response = current_app.json.response(current_app.extensions["token_keys"].jwks())
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def _not_signed_in(outcome: Failed | Throttled) -> Response:
    if isinstance(outcome, Throttled):
        keep_own_retry_after()
        return problem(429, "too_many_requests", retry_after=outcome.retry_after)
    return _authentication_failed(outcome.code)


def _authentication_failed(code: str) -> Response:
    """Build the one 401 of all failures; only a right password learns more, by `code` (contract, section 2)."""
    return problem(401, code, exception="AuthenticationFailed", reason="Authentication failed.")


def _session_that_leaves(region: Region) -> tuple[UUID, UUID] | None:
    """Return (account, session) of the token given: bearer, then the body's refresh token, then cookies."""
    if "Authorization" in request.headers:
        claims = _claims_of_header(region)
        return claims.user_id, claims.session_id
    given = _refresh_token_of_body()
    if given is not None:
        return _account_and_session(retrieve_refresh_token(given), region)
    claims_of_cookie = verified_claims(the_cookie(cookie_names().access) or "")
    if claims_of_cookie is not None and claims_of_cookie.region == region.key:
        require_csrf_token(claims_of_cookie.session_id)
        return claims_of_cookie.user_id, claims_of_cookie.session_id
    held = retrieve_refresh_token(the_cookie(cookie_names().refresh) or "")
    _require_csrf_of(held)
    return _account_and_session(held, region)


def _account_and_session(held: Held | None, region: Region) -> tuple[UUID, UUID] | None:
    return (held.owner.id, held.session_id) if held is not None and held.owner.region == region.key else None


def _claims_of_header(region: Region) -> Claims:
    presented = presented_token()
    if isinstance(presented, Fault):
        raise refuse(presented)
    claims = verified_claims(presented.token)
    if claims is None or claims.region != region.key:
        raise refuse(Fault.INVALID)
    return claims


def _require_csrf_of(held: Held | None) -> None:
    """Check the sending of a refresh cookie; one that names no session protects nothing but its cookies."""
    if held is None:
        require_same_origin()
    else:
        require_csrf_token(held.session_id)


def _account_of_access_token(region: Region, *, by_cookie: bool) -> UUID | None:
    """Return whose access token came along, expired or not; None without one. Raises the 401 for a wrong one.

    A refresh token of the body is judged with the header only, that of the cookie with the cookie as well.
    """
    if "Authorization" not in request.headers and not by_cookie:
        return None
    presented = presented_token()
    if presented is Fault.ABSENT:
        return None
    claims = None if isinstance(presented, Fault) else verified_claims(presented.token)
    if claims is None or claims.region != region.key or _is_early(claims):
        raise Refused(
            Kind.UNAUTHENTICATED, "authentication_failed", exception="AuthenticationFailed",
            reason="Authentication failed.",
        )  # fmt: skip
    return claims.user_id


def _is_early(claims: Claims) -> bool:
    return claims.not_before > utc_now().timestamp() + settings_in_force().jwt_leeway_seconds


def _refresh_token_of_body() -> str | None:
    """Return the body's refresh token; a wrong type counts as absent, and so does an empty text."""
    given: Any = json_object(lenient=True).get("refresh_token")
    return given if isinstance(given, str) and given else None
