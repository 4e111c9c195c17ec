"""Who is calling: checks at each request the token, its session, its account, its region, and forged sendings."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import wraps
from typing import Any, TypeVar, cast, overload
from uuid import UUID

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from terristory.api.last_resort import is_api
from terristory.api.problems import Refused
from terristory.auth.access_token import ISSUER, TokenFault, read_access_token, use_token_keys
from terristory.auth.cookies import cookie_names, is_csrf_token_of, set_session_cookies, the_cookie
from terristory.auth.current_user import retrieve_user
from terristory.auth.sessions import Opened, renew_session
from terristory.auth.token_keys import token_keys
from terristory.clock import utc_now
from terristory.errors import Kind
from terristory.i18n import _
from terristory.regions.lookup import find_open_region
from terristory.settings import Settings
from terristory.user.models import Role
from terristory.web.access import Access, declare_access
from terristory.web.same_origin import is_same_origin
from terristory.web.settings_in_force import settings_in_force

View = TypeVar("View", bound=Callable[..., Any])
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Fault(Enum):
    """Why nobody is known by the request; the value is what the original API says."""

    ABSENT = "Authorization header not present."
    BAD_HEADER = "Authorization header is invalid."
    INVALID = "Auth required."
    EXPIRED = "Signature has expired."


@dataclass(frozen=True)
class Presented:
    """The access token a request carries, and whether a cookie carries it."""

    token: str = field(repr=False)
    by_cookie: bool


@dataclass(frozen=True)
class Caller:
    """Who is calling, as the database knows it at this request. `row` holds the columns of `account_json`."""

    user_id: UUID
    region: str
    role: str
    session_id: UUID
    must_change_password: bool
    by_cookie: bool
    prenom: str
    nom: str
    mail: str
    langue: str
    row: Any = field(repr=False)


def install_token_keys(app: Flask, settings: Settings) -> None:
    """Configure Flask-JWT-Extended: one pinned algorithm, our keys by `kid`, no default of its own left."""
    roots = [settings.secret_key] + ([settings.secret_key_previous] if settings.secret_key_previous else [])
    app.config.update(
        JWT_ALGORITHM=settings.jwt_algorithm,
        JWT_DECODE_ALGORITHMS=[settings.jwt_algorithm],
        JWT_ENCODE_ISSUER=ISSUER,
        JWT_DECODE_ISSUER=ISSUER,
        JWT_DECODE_LEEWAY=settings.jwt_leeway_seconds,
        JWT_COOKIE_CSRF_PROTECT=False,
        JWT_TOKEN_LOCATION=["headers", "cookies"],
        JWT_COOKIE_SECURE=settings.secure_cookies,
        JWT_COOKIE_SAMESITE="Lax",
    )
    use_token_keys(app, token_keys(settings.jwt_algorithm, roots))


def install_session_renewal(app: Flask) -> None:
    """Let pages go on by themselves when only the access token is over, and refuse forms sent from elsewhere."""

    @app.before_request
    def know_the_visitor() -> None:
        if request.url_rule is None or request.endpoint == "static" or is_api(request.path):
            return
        if request.method not in SAFE_METHODS and not is_same_origin():
            raise CSRFError("sent from another site")
        if the_cookie(cookie_names().refresh) or request.authorization or the_cookie(cookie_names().access):
            _renew_if_needed()
            person = current_person()
            g.account_langue = person.langue if person else None

    @app.after_request
    def hand_over_renewed(response: Any) -> Any:
        renewed = g.get("renewed_session")
        if renewed is not None and not g.get("session_cookies_settled"):
            set_session_cookies(response, renewed)
            response.headers["Cache-Control"] = "no-store"
        return response


@overload
def members_only(view: View) -> View: ...
@overload
def members_only(*, temporary: bool) -> Callable[[View], View]: ...
def members_only(view: View | None = None, *, temporary: bool = False) -> Any:
    """Open a view to the signed-in accounts of the path's region.

    `temporary=True` opens it also to a session that a temporary password opened, which must first choose a new one.
    """
    if view is not None:
        return _guarded(view, Access.MEMBER, temporary=False)
    return lambda view: _guarded(view, Access.MEMBER, temporary=temporary)


def admins_only(view: View) -> View:
    """Open a view to the administrators of the path's region; the role is read from the database at each request."""
    return _guarded(view, Access.ADMIN, temporary=False)


def caller() -> Caller:
    """Return who is calling, inside a view guarded by members_only or admins_only."""
    return cast(Caller, g.caller)


def current_person() -> Caller | None:
    """Return the person signed in to the page's region (to any, on a page of none), or None. Pages only."""
    if "visitor" not in g:
        region = g.get("region")
        found = identify(region.key if region is not None else None)
        g.visitor = found if isinstance(found, Caller) else None
    return cast(Caller | None, g.visitor)


def other_region_of_visitor() -> str | None:
    """Return the key of the region the visitor is signed in to, when it is not that of the page."""
    region = g.get("region")
    if region is None or current_person() is not None:
        return None
    found = identify(None)
    return found.region if isinstance(found, Caller) and found.region != region.key else None


def require_same_origin() -> None:
    """Refuse (400 `csrf_failed`) a JSON sending that a browser says to come from another site. For sign-ins."""
    if not is_same_origin():
        raise _csrf_failed()


def require_csrf_token(session_id: UUID) -> None:
    """Refuse (400 `csrf_failed`) a sending carried by cookies without the session's `X-CSRF-TOKEN`, or from elsewhere.

    A request whose header holds a bearer token is judged by that header alone: no other site can make a browser send
    it (it would need a CORS answer that we never give), so it needs neither (contract, section 3).
    """
    if not is_same_origin() or not is_csrf_token_of(session_id, request.headers.get("X-CSRF-TOKEN", "")):
        raise _csrf_failed()


def presented_token() -> Presented | Fault:
    """Return the access token of the request. A header wins over a cookie and never falls through to it."""
    header = request.headers.get("Authorization")
    if header is not None:
        parts = header.split()
        if len(parts) != 2 or parts[0].lower() != "bearer":
            return Fault.BAD_HEADER
        return Presented(parts[1], by_cookie=False)
    cookie = _renewed_token() or the_cookie(cookie_names().access)
    if cookie is None:
        return Fault.ABSENT
    return Presented(cookie, by_cookie=True)


def identify(region: str | None) -> Caller | Fault:
    """Return who is calling `region` (any, when None), with every check done at this very moment."""
    presented = presented_token()
    if isinstance(presented, Fault):
        return presented
    now, settings = utc_now(), settings_in_force()
    claims = read_access_token(presented.token, region=region, leeway_seconds=settings.jwt_leeway_seconds, now=now)
    if isinstance(claims, TokenFault):
        return Fault.EXPIRED if claims is TokenFault.EXPIRED else Fault.INVALID
    row = retrieve_user(claims, now=now)
    if row is None:
        return Fault.INVALID
    return Caller(
        user_id=row.id,
        region=row.region,
        role=row.role,
        session_id=row.session_id,
        must_change_password=row.must_change_password,
        by_cookie=presented.by_cookie,
        prenom=row.prenom,
        nom=row.nom,
        mail=row.mail,
        langue=row.langue,
        row=row,
    )


def refuse(fault: Fault) -> Refused:
    """Build the 401 of a protected route, in the words of the original API."""
    code = "access_token_expired" if fault is Fault.EXPIRED else "unauthenticated"
    return Refused(Kind.UNAUTHENTICATED, code, exception="Unauthorized", reason=fault.value)


def region_of_path(view_args: dict[str, Any]) -> str:
    """Return the key of the path's region, whichever converter gave it."""
    region = view_args.get("region")
    return str(view_args["region_key"]) if region is None else str(region.key)


def require_open_region(key: str) -> None:
    """Answer 404 for a region that is unknown or closed: for routes that find it out only after failing."""
    if g.get("region") is None and find_open_region(key) is None:
        abort(404)


def _guarded(view: View, access: Access, *, temporary: bool) -> View:
    @wraps(view)
    def guard(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        check = _check_endpoint if is_api(request.path) else _check_page
        answer = check(region_of_path(kwargs), access, temporary)
        return answer if answer is not None else cast(ResponseReturnValue, view(*args, **kwargs))

    return declare_access(access)(cast(View, guard))


def _check_endpoint(region: str, access: Access, temporary: bool) -> None:
    found = identify(region)
    if isinstance(found, Fault):
        require_open_region(region)
        raise refuse(found)
    if found.by_cookie and request.method not in SAFE_METHODS:
        require_csrf_token(found.session_id)
    if found.must_change_password and not temporary:
        detail = str(_("Choisissez d'abord un nouveau mot de passe."))
        raise Refused(Kind.FORBIDDEN, "password_change_required", detail=detail)
    if access is Access.ADMIN and found.role != Role.ADMIN:
        raise Refused(Kind.FORBIDDEN, "forbidden")
    g.caller = found


def _check_page(region: str, access: Access, temporary: bool) -> ResponseReturnValue | None:
    found = current_person()
    if found is None:
        return redirect(url_for("auth.sign_in", region=region, next=_place_to_come_back_to()), code=303)
    if found.must_change_password and not temporary:
        return redirect(url_for("password_change.choose", region=region), code=303)
    if access is Access.ADMIN and found.role != Role.ADMIN:
        abort(403)
    g.caller = found
    return None


def _place_to_come_back_to() -> str | None:
    """Return the page to show after the sign-in: this one, unless it is an address that only takes forms."""
    if request.method in SAFE_METHODS:
        return request.full_path.rstrip("?")
    rule = request.url_rule
    return request.path if rule is not None and "GET" in (rule.methods or ()) else None


def _renew_if_needed() -> None:
    """Renew the session of a page's visitor when its access cookie no longer counts and its refresh cookie does.

    A header forbids it (it wins over cookies), and so do HEAD and prefetches: nobody is looking.
    """
    refresh, now = the_cookie(cookie_names().refresh), utc_now()
    if not refresh or "Authorization" in request.headers or request.method == "HEAD" or _is_prefetch():
        return
    settings = settings_in_force()
    access = the_cookie(cookie_names().access)
    if access:
        claims = read_access_token(access, region=None, leeway_seconds=0, now=now)
        if not isinstance(claims, TokenFault):
            return
    g.renewed_session = _renew(refresh, settings, now)


def _renew(refresh: str, settings: Settings, now: datetime) -> Opened | None:
    outcome = renew_session(
        refresh,
        access_seconds=settings.access_token_seconds,
        grace_seconds=settings.refresh_grace_seconds,
        idle_seconds=settings.session_idle_seconds,
        now=now,
    )
    return outcome if isinstance(outcome, Opened) else None


def _is_prefetch() -> bool:
    purposes = (request.headers.get("Sec-Purpose", ""), request.headers.get("Purpose", ""))
    return any("prefetch" in purpose.lower() for purpose in purposes)


def _renewed_token() -> str | None:
    renewed = g.get("renewed_session")
    return renewed.access_token if renewed is not None else None


def _csrf_failed() -> Refused:
    detail = str(_("La protection contre les envois forgés a échoué."))
    return Refused(Kind.MALFORMED, "csrf_failed", detail=detail)
