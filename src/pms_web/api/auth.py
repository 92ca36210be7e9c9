"""``/api/v1/auth``: coming in, going out, and choosing a password.

Owns addresses and the session's cookie. A session's changes need its CSRF token; programs use a key or a token in
``Authorization`` and need none of this.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from attrs import frozen
from flask import Response, g, request

from pms_web.auth.authenticating import check_same_site
from pms_web.auth.cookies import clear_session, session_secret, set_session
from pms_web.auth.presented import Presented
from pms_web.examples import AGENCY
from pms_web.limits import Allowance
from pms_web.member_views import SessionBody, WhoBody, session_body, who_body
from pms_web.routing import Route, answer
from pms_web.services import Surroundings, WebServices
from pms_web.wire import Longest, Says
from pmscore.access.model.permissions import Permission
from pmscore.access.model.principals import Means
from pmscore.access.policies.secrets import fingerprint
from pmscore.access.use_cases.logging_in import LoggedIn, LogIn, LogOut, log_in, log_out
from pmscore.access.use_cases.passwords import (
    AskForReset,
    ChangePassword,
    UseLink,
    ask_for_reset,
    change_password,
    use_link,
)
from pmscore.access.use_cases.switching import SwitchAgency, switch_agency
from pmscore.kernel.errors import TransitionError
from pmscore.kernel.ids import AgencyId, RequestId, UserId

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/auth"
Email = Annotated[str, Longest(254)]
Password = Annotated[str, Longest(256)]


@frozen(kw_only=True)
class Credentials:
    """Who somebody says they are."""

    email: Email
    password: Password
    agency_id: Annotated[UUID | None, Says("May be left out by somebody who is in one agency.")] = None


@frozen(kw_only=True)
class Leaving:
    """How far to go out."""

    everywhere: Annotated[bool, Says("End every session and token, on all devices.")] = False


@frozen(kw_only=True)
class Switching:
    """Which agency to go over to."""

    agency_id: Annotated[UUID, Says("One of the `memberships` of `GET /api/v1/auth/me`.")]


@frozen(kw_only=True)
class PasswordChange:
    """An old password and a new one."""

    old_password: Password
    new_password: Annotated[Password, Says("Twelve characters or more; fifteen are advised.")]


@frozen(kw_only=True)
class ResetAsked:
    """Whose password to reset."""

    email: Email


@frozen(kw_only=True)
class LinkUsed:
    """What a one-time link carries behind its ``#``, and the password to set with it."""

    token: Annotated[str, Longest(256)]
    password: Annotated[Password, Says("Twelve characters or more; fifteen are advised.")]


def come_in(here: Surroundings, body: Credentials) -> Response:
    """Begin a session; a session that came along ends."""
    check_same_site(_presented())
    asked = LogIn(
        request_id=RequestId(g.request_id),
        email=body.email,
        password=body.password,
        agency_id=None if body.agency_id is None else AgencyId(body.agency_id),
        old_session=session_secret(request.cookies) or None,
    )

    def attempt() -> LoggedIn:
        access = here.access
        return log_in(
            asked,
            uow=access.uow,
            reader=access.reader,
            passwords=access.passwords,
            secrets=access.secrets,
            clock=here.clock,
        )

    begun = here.retry(attempt)
    response = answer(session_body(begun.session, begun.user, begun.secret))
    set_session(response, request, begun.secret)
    return response


def go_out(services: WebServices, body: Leaving) -> Response:
    """End the session, or everything."""
    command = LogOut(
        **services.asking,
        user_id=_user_id(services, "log_out"),
        session_hash=fingerprint(session_secret(request.cookies)),
        everywhere=body.everywhere,
    )
    services.retry(lambda: log_out(command, uow=services.access.uow))
    services.access.forget()
    response = Response(status=204)
    clear_session(response)
    return response


def switch(services: WebServices, body: Switching) -> Response:
    """Go over to another agency without logging in again; the session gets a new cookie and a new CSRF token.

    The session that came along ends, and the new one ends no later than it would have.
    """
    user_id = _user_id(services, "switch_agency")
    command = SwitchAgency(
        request_id=services.request_id,
        agency_id=AgencyId(body.agency_id),
        actor_id=services.principal.actor_id,
        user_id=user_id,
        session_hash=fingerprint(session_secret(request.cookies)),
    )
    access = services.access
    moved = services.retry(
        lambda: switch_agency(command, uow=access.uow, secrets=access.secrets, clock=services.clock)
    )
    response = answer(session_body(moved.session, moved.user, moved.secret))
    set_session(response, request, moved.secret)
    return response


def who(services: WebServices) -> Response:
    """Return who asks, what they may, and in which agencies they are."""
    principal = services.principal
    is_session, is_user = principal.means is Means.SESSION, principal.means in {Means.SESSION, Means.BEARER}
    user_id = UserId(principal.actor_id)
    places = services.retry(lambda: services.access.reader.places(user_id)) if is_user else ()
    return answer(who_body(principal, places, session_secret(request.cookies) if is_session else ""))


def change(services: WebServices, body: PasswordChange) -> Response:
    """Replace one's own password; all other sessions and all tokens end."""
    command = ChangePassword(
        **services.asking,
        user_id=_user_id(services, "change_password"),
        old_password=body.old_password,
        new_password=body.new_password,
        session_hash=fingerprint(session_secret(request.cookies)),
    )
    access = services.access
    services.retry(
        lambda: change_password(command, uow=access.uow, passwords=access.passwords, clock=services.clock)
    )
    access.forget()
    return Response(status=204)


def ask(here: Surroundings, body: ResetAsked) -> Response:
    """Send a link, where there is an account; the answer is the same, and as quick, where there is none."""
    asked = AskForReset(request_id=RequestId(g.request_id), email=body.email)
    access = here.access
    access.background.run(
        lambda: ask_for_reset(
            asked,
            uow=access.uow,
            reader=access.reader,
            secrets=access.secrets,
            clock=here.clock,
            mail=access.mail,
        )
    )
    return Response(status=202)


def use(here: Surroundings, body: LinkUsed) -> Response:
    """Choose a password with a one-time link."""
    asked = UseLink(request_id=RequestId(g.request_id), secret=body.token, new_password=body.password)
    access = here.access
    here.retry(lambda: use_link(asked, uow=access.uow, passwords=access.passwords, clock=here.clock))
    access.forget()
    return Response(status=204)


def _presented() -> Presented:
    headers = request.headers
    return Presented(
        method=request.method,
        origin=headers.get("Origin", ""),
        fetch_site=headers.get("Sec-Fetch-Site", ""),
        own_origin=request.host_url.rstrip("/"),
    )


def _user_id(services: WebServices, act: str) -> UserId:
    """Return the user of a session.

    Raises:
        TransitionError: a key or a token has no session and no password.
    """
    if services.principal.means is not Means.SESSION:
        raise TransitionError(act, services.principal.means.value, "no_session")
    return UserId(services.principal.actor_id)


# Whoever is logged in may read what is public, so this permission asks for a log-in and for nothing else.
_ANYBODY = Permission.READ_PUBLIC

ROUTES = (
    Route(
        method="POST",
        path=f"{ADDRESS}/log-in",
        view=come_in,
        permission=None,
        allowance=Allowance.LOG_IN,
        summary="Begin a session",
        body=Credentials,
        replies={200: SessionBody},
        problems=frozenset({401, 503}),
        example={"email": "admin@example.com", "password": "four blue herons at noon"},
    ),
    Route(
        method="POST",
        path=f"{ADDRESS}/log-out",
        view=go_out,
        permission=_ANYBODY,
        summary="End the session",
        body=Leaving,
        replies={204: None},
        problems=frozenset({409}),
        example={},
    ),
    Route(
        method="POST",
        path=f"{ADDRESS}/switch-agency",
        view=switch,
        permission=_ANYBODY,
        summary="Go over to another agency",
        body=Switching,
        replies={200: SessionBody},
        problems=frozenset({409}),
        example={"agency_id": AGENCY},
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/me",
        view=who,
        permission=_ANYBODY,
        summary="Who asks",
        replies={200: WhoBody},
    ),
    Route(
        method="POST",
        path=f"{ADDRESS}/password",
        view=change,
        permission=_ANYBODY,
        allowance=Allowance.LOG_IN,
        summary="Change one's password",
        body=PasswordChange,
        replies={204: None},
        problems=frozenset({409}),
        example={"old_password": "four blue herons at noon", "new_password": "seven green otters at dawn"},
    ),
    Route(
        method="POST",
        path=f"{ADDRESS}/reset-request",
        view=ask,
        permission=None,
        allowance=Allowance.LOG_IN,
        summary="Ask for a link to choose a new password",
        body=ResetAsked,
        replies={202: None},
        example={"email": "admin@example.com"},
    ),
    Route(
        method="POST",
        path=f"{ADDRESS}/reset",
        view=use,
        permission=None,
        allowance=Allowance.LOG_IN,
        summary="Choose a password with a link",
        body=LinkUsed,
        replies={204: None},
        problems=frozenset({503}),
        example={"token": "what stands behind the # of the link", "password": "seven green otters at dawn"},
    ),
)
