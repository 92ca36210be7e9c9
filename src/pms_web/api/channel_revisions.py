"""``/api/v1/channel-connections/{id}/revisions``: what a platform has told, and what a person decides about it.

Owns addresses: the list, the second try of what was put aside, and the word that a shrunken feed is right. The worker
does what follows.
"""

from __future__ import annotations

from typing import Annotated

from attrs import frozen
from flask import Response

from pms_web.api.channel_connections import ONE, connection_of
from pms_web.channel_schemas import chosen
from pms_web.paging import Page, PageQuery, page_of
from pms_web.revision_views import ChannelRevisionBody, ConfirmedFeedBody, revision_body
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pms_web.url_parts import code_of
from pms_web.wire import Entries, Longest, Says
from pmscore.access.model.permissions import Permission
from pmscore.channels.model.revisions import StoredRevision, StoredState
from pmscore.channels.use_cases.issues import ConfirmFeed, RetryRevision, confirm_feed, retry_revision
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.paging import Page as CorePage
from pmscore.kernel.paging import Paged

__all__ = ["ROUTES"]

ADDRESS = f"{ONE}/revisions"


@frozen(kw_only=True)
class RevisionsQuery(PageQuery):
    """Which revisions; all of them where nothing is said."""

    state: Annotated[
        tuple[str, ...],
        Entries(len(StoredState)),
        Says("received, applied, superseded, quarantined, conflict."),
    ] = ()


@frozen(kw_only=True)
class FeedConfirmation:
    """The room whose feed is right about the stays that it leaves out."""

    room_code: Annotated[str, Longest(200)]


def listed(services: WebServices, connection_id: str, query: RevisionsQuery) -> Response:
    """Return one page of what the platform has told, the newest first."""
    key = connection_of(connection_id)
    states = tuple(StoredState(chosen(StoredState, each, "state")) for each in query.state)
    shows_guest = services.principal.may(Permission.READ_GUESTS)

    def read() -> Paged[StoredRevision]:
        with services.uow.begin(services.question) as work:
            work.connections.read(key)
            return work.revisions.page(key, states, CorePage(query.limit, query.offset))

    found = services.retry(read)
    bodies = (revision_body(each, shows_guest=shows_guest) for each in found.items)
    return answer(page_of(bodies, query, total=found.total))


def try_again(services: WebServices, connection_id: str, revision: str) -> Response:
    """Let what was put aside be tried again by the worker, at once, such as after its room was mapped."""
    revision_id = code_of(revision)
    if revision_id is None:
        raise NotFoundError("channel_revision", revision)
    command = RetryRevision(
        **services.asking, connection_id=connection_of(connection_id), revision_id=revision_id
    )
    after = services.retry(lambda: retry_revision(command, uow=services.uow, clock=services.clock))
    return answer(revision_body(after, shows_guest=services.principal.may(Permission.READ_GUESTS)))


def confirm(services: WebServices, connection_id: str, body: FeedConfirmation) -> Response:
    """Say that the feed of a room is right about what it leaves out: those stays end, and the issue is closed.

    Stays that have begun go on. Where no such feed waits for a person, nothing is done and `ended` is 0.
    """
    command = ConfirmFeed(
        **services.asking, connection_id=connection_of(connection_id), room_code=body.room_code
    )
    ended = services.retry(lambda: confirm_feed(command, uow=services.uow, clock=services.clock))
    told: ConfirmedFeedBody = {
        "connection_id": str(command.connection_id),
        "room_code": body.room_code,
        "ended": ended,
    }
    return answer(told)


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.READ_CHANNELS,
        summary="List what the platform has told",
        query=RevisionsQuery,
        replies={200: Page[ChannelRevisionBody]},
        problems=frozenset({400}),
        example={"state": ["quarantined", "conflict"]},
    ),
    Route(
        method="POST",
        path=f"{ADDRESS}/<revision>/retry",
        view=try_again,
        permission=Permission.WRITE_CHANNELS,
        summary="Try again what was put aside",
        replies={200: ChannelRevisionBody},
    ),
    Route(
        method="POST",
        path=f"{ONE}/feed/confirm",
        view=confirm,
        permission=Permission.WRITE_CHANNELS,
        summary="Confirm that a shrunken feed is right",
        body=FeedConfirmation,
        replies={200: ConfirmedFeedBody},
        example={"room_code": "double"},
    ),
)
