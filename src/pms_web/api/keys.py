"""``/api/v1/keys``: keys for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from attrs import frozen
from flask import Response

from pms_web.member_views import KeyBody, NewKeyBody, key_body, new_key_body
from pms_web.paging import Page, PageQuery, page_of
from pms_web.routing import Idempotency, Route, answer
from pms_web.services import WebServices
from pms_web.wire import Longest, Says
from pmscore.access.model.permissions import Permission, Role
from pmscore.access.use_cases.keys import CreateKey, RevokeKey, create_key, list_keys, revoke_key
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import ApiKeyId, PropertyId, parse_id

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/keys"


@frozen(kw_only=True)
class KeyAsked:
    """A key to make."""

    name: Annotated[str, Longest(200), Says("Which program has it.")]
    role: Role
    property_ids: Annotated[
        tuple[UUID, ...] | None, Says("The only properties that it reaches; all where it is left out.")
    ] = None
    expires_at: datetime | None = None


def listed(services: WebServices, query: PageQuery) -> Response:
    """Return one page of the keys, the newest first, without their secrets."""
    found = services.retry(lambda: list_keys(services.question, uow=services.access.uow))
    page = found[query.offset : query.offset + query.limit]
    return answer(page_of(map(key_body, page), query, total=len(found)))


def make(services: WebServices, body: KeyAsked, once: OnceKey | None) -> Response:
    """Make a key; its text is in this answer and nowhere else.

    Under an `Idempotency-Key` a repetition gets the same answer with `key` null: the text is kept nowhere, so whoever
    has lost it withdraws the key and makes another.
    """
    reach = None if body.property_ids is None else frozenset(map(PropertyId, body.property_ids))
    command = CreateKey(
        **services.asking,
        name=body.name,
        role=body.role,
        reach=reach,
        expires_at=body.expires_at,
        once=once,
    )
    access = services.access
    made = services.retry(
        lambda: create_key(
            command, uow=access.uow, secrets=access.secrets, clock=services.clock, ids=services.ids
        )
    )
    return answer(new_key_body(made), status=201)


def revoke(services: WebServices, key_id: str) -> Response:
    """Withdraw a key; it opens nothing here from now on, and nothing anywhere after five seconds."""
    command = RevokeKey(**services.asking, key_id=ApiKeyId(parse_id(key_id, field="key_id")))
    gone = services.retry(lambda: revoke_key(command, uow=services.access.uow, clock=services.clock))
    services.access.forget()
    return answer(key_body(gone))


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.MANAGE_KEYS,
        summary="List the keys",
        query=PageQuery,
        replies={200: Page[KeyBody]},
        example={"limit": 10},
    ),
    Route(
        method="POST",
        path=ADDRESS,
        view=make,
        permission=Permission.MANAGE_KEYS,
        summary="Make a key",
        body=KeyAsked,
        replies={201: NewKeyBody},
        idempotency=Idempotency.OPTIONAL,
        example={"name": "Till of the bar", "role": "staff"},
    ),
    Route(
        method="DELETE",
        path=f"{ADDRESS}/<key_id>",
        view=revoke,
        permission=Permission.MANAGE_KEYS,
        summary="Withdraw a key",
        replies={200: KeyBody},
    ),
)
