"""``/api/v1/guests``: who stays or pays.

Owns addresses; profiles are kept by the use cases of :mod:`pmscore.guests`. Figures follow bookings by themselves.
"""

from __future__ import annotations

from typing import Annotated

from attrs import frozen
from flask import Response

from pms_web.guest_views import GuestProfileBody, guest_profile_body
from pms_web.paging import Page, PageQuery, page_of
from pms_web.routing import Idempotency, Route, answer
from pms_web.services import WebServices
from pms_web.wire import Longest, Says
from pmscore.access.model.permissions import Permission
from pmscore.guests.model import Guest
from pmscore.guests.use_cases import AddGuest, ChangeGuest, add_guest, change_guest
from pmscore.kernel import paging
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import GuestId, parse_id

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/guests"


@frozen(kw_only=True)
class NewGuest:
    """A person."""

    name: Annotated[str, Longest(200)]
    email: Annotated[str, Longest(254)] = ""
    phone: Annotated[str, Longest(40)] = ""
    country: Annotated[str, Says("ISO 3166 alpha-2, such as PT.")] = ""


@frozen(kw_only=True)
class GuestChange:
    """What is to be another in a profile; what is left out stays. ``version`` refuses a change of what was not seen."""

    name: Annotated[str | None, Longest(200)] = None
    email: Annotated[str | None, Longest(254)] = None
    phone: Annotated[str | None, Longest(40)] = None
    country: str | None = None
    version: int | None = None


@frozen(kw_only=True)
class GuestsQuery(PageQuery):
    """Which guests; all of them where nothing is said."""

    text: Annotated[str, Longest(100), Says("A part of the name or of the e-mail address.")] = ""


def create(services: WebServices, body: NewGuest, once: OnceKey | None) -> Response:
    """Make a profile."""
    command = AddGuest(
        **services.asking,
        name=body.name,
        email=body.email,
        phone=body.phone,
        country=body.country,
        once=once,
    )
    made = services.retry(lambda: add_guest(command, uow=services.uow, ids=services.ids))
    return answer(guest_profile_body(made), status=201)


def listed(services: WebServices, query: GuestsQuery) -> Response:
    """Return a page of the guests, by name."""

    def attempt() -> paging.Paged[Guest]:
        with services.uow.begin(services.question) as work:
            return work.guests.find(query.text, paging.Page(query.limit, query.offset))

    found = services.retry(attempt)
    return answer(page_of(map(guest_profile_body, found.items), query, total=found.total))


def show(services: WebServices, guest_id: str) -> Response:
    """Return a profile with its figures."""
    key = _guest_id(guest_id)

    def attempt() -> Guest:
        with services.uow.begin(services.question) as work:
            return work.guests.get(key)

    return answer(guest_profile_body(services.retry(attempt)))


def change(services: WebServices, guest_id: str, body: GuestChange) -> Response:
    """Change a profile."""
    command = ChangeGuest(
        **services.asking,
        guest_id=_guest_id(guest_id),
        name=body.name,
        email=body.email,
        phone=body.phone,
        country=body.country,
        expected_version=body.version,
    )
    changed = services.retry(lambda: change_guest(command, uow=services.uow, clock=services.clock))
    return answer(guest_profile_body(changed))


def _guest_id(text: str) -> GuestId:
    return GuestId(parse_id(text, field="guest_id"))


_PERSON = {"name": "Ada Moreira", "email": "ada@example.com", "phone": "+351 912 000 000", "country": "PT"}

ROUTES = (
    Route(
        method="POST",
        path=ADDRESS,
        view=create,
        permission=Permission.WRITE_GUESTS,
        summary="Make a guest's profile",
        body=NewGuest,
        replies={201: GuestProfileBody},
        idempotency=Idempotency.OPTIONAL,
        example=_PERSON,
    ),
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.READ_GUESTS,
        summary="List the guests",
        query=GuestsQuery,
        replies={200: Page[GuestProfileBody]},
        example={"text": "moreira"},
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/<guest_id>",
        view=show,
        permission=Permission.READ_GUESTS,
        summary="Read a guest's profile",
        replies={200: GuestProfileBody},
        is_versioned=True,
    ),
    Route(
        method="PATCH",
        path=f"{ADDRESS}/<guest_id>",
        view=change,
        permission=Permission.WRITE_GUESTS,
        summary="Change a guest's profile",
        body=GuestChange,
        replies={200: GuestProfileBody},
        is_versioned=True,
        example={"phone": "+351 912 000 001"},
    ),
)
