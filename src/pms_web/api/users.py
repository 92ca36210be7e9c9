"""``/api/v1/users``: the agency's people and what they may.

Owns addresses. An account belongs to its person; an admin gives, changes and takes a place in the agency.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from attrs import frozen
from flask import Response

from pms_web.member_views import MemberBody, member_body
from pms_web.paging import Page, PageQuery, page_of
from pms_web.routing import Idempotency, Route, answer
from pms_web.services import WebServices
from pms_web.wire import Longest, Says
from pmscore.access.model.permissions import Permission, Role
from pmscore.access.use_cases.inviting import InviteUser, invite_user
from pmscore.access.use_cases.members import (
    ChangeMembership,
    change_membership,
    get_member,
    list_members,
)
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import PropertyId, UserId, parse_id

__all__ = ["ROUTES", "reach_of"]

ADDRESS = "/api/v1/users"
Reach = Annotated[
    tuple[UUID, ...] | None, Says("The only properties that they see and touch; all where it is left out.")
]


@frozen(kw_only=True)
class Invitation:
    """Somebody to let in."""

    email: Annotated[str, Longest(254)]
    name: Annotated[str, Longest(200)]
    role: Role
    property_ids: Reach = None


@frozen(kw_only=True)
class MembershipChange:
    """What is to be different; what is left out stays as it is."""

    role: Role | None = None
    property_ids: Annotated[
        tuple[UUID, ...] | None, Says("The only properties that they see and touch from now on.")
    ] = None
    reaches_all: Annotated[bool, Says("True gives them all properties.")] = False
    is_active: bool | None = None
    version: Annotated[int | None, Says("The version that was read; If-Match says the same.")] = None


def listed(services: WebServices, query: PageQuery) -> Response:
    """Return one page of the people, by address."""
    found = services.retry(lambda: list_members(services.question, uow=services.access.uow))
    page = found[query.offset : query.offset + query.limit]
    return answer(page_of(map(member_body, page), query, total=len(found)))


def show(services: WebServices, user_id: str) -> Response:
    """Return somebody."""
    key = UserId(parse_id(user_id, field="user_id"))
    return answer(
        member_body(services.retry(lambda: get_member(services.question, key, uow=services.access.uow)))
    )


def invite(services: WebServices, body: Invitation, once: OnceKey | None) -> Response:
    """Give somebody a place and send them a letter with a link to choose a password.

    Under an `Idempotency-Key` a repetition gets the same answer, and nobody gets a second letter.
    """
    access = services.access
    command = InviteUser(
        **services.asking,
        email=body.email,
        name=body.name,
        role=body.role,
        reach=reach_of(body.property_ids),
        once=once,
    )
    invited = services.retry(
        lambda: invite_user(
            command, uow=access.uow, secrets=access.secrets, clock=services.clock, ids=services.ids
        )
    )
    letter = invited.letter
    if letter is not None:
        access.background.run(lambda: access.mail.send(letter))
    return answer(member_body(invited.member), status=201)


def change(services: WebServices, user_id: str, body: MembershipChange) -> Response:
    """Change role, reach, or whether the door is open; it counts within seconds, everywhere."""
    if body.reaches_all and body.property_ids is not None:
        raise InvalidInputError("property_ids", "one_of_two", other="reaches_all")
    command = ChangeMembership(
        **services.asking,
        user_id=UserId(parse_id(user_id, field="user_id")),
        role=body.role,
        reach=reach_of(body.property_ids),
        reaches_all=body.reaches_all,
        is_active=body.is_active,
        version=body.version,
    )
    member = services.retry(lambda: change_membership(command, uow=services.access.uow, clock=services.clock))
    services.access.forget()
    return answer(member_body(member))


def reach_of(property_ids: tuple[UUID, ...] | None) -> frozenset[PropertyId] | None:
    """Return the properties of a body as a reach."""
    return None if property_ids is None else frozenset(PropertyId(each) for each in property_ids)


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.MANAGE_USERS,
        summary="List the agency's people",
        query=PageQuery,
        replies={200: Page[MemberBody]},
        example={"limit": 10},
    ),
    Route(
        method="POST",
        path=ADDRESS,
        view=invite,
        permission=Permission.MANAGE_USERS,
        summary="Invite somebody",
        body=Invitation,
        replies={201: MemberBody},
        idempotency=Idempotency.OPTIONAL,
        example={"email": "jo@example.com", "name": "Jo Silva", "role": "staff"},
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/<user_id>",
        view=show,
        permission=Permission.MANAGE_USERS,
        summary="Read what somebody may",
        replies={200: MemberBody},
        is_versioned=True,
    ),
    Route(
        method="PATCH",
        path=f"{ADDRESS}/<user_id>",
        view=change,
        permission=Permission.MANAGE_USERS,
        summary="Change what somebody may",
        body=MembershipChange,
        replies={200: MemberBody},
        problems=frozenset({409}),
        is_versioned=True,
        example={"role": "manager"},
    ),
)
