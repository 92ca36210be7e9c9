"""``/api/v1/channel-issues``: what a person has to look at, such as a room that was sold twice."""

from __future__ import annotations

from flask import Response

from pms_web.channel_schemas import IssuesQuery, IssueState
from pms_web.channel_views import ChannelIssueBody, issue_body
from pms_web.paging import Page, page_of
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission
from pmscore.channels.model.revisions import Issue
from pmscore.channels.use_cases.issues import CloseIssue, close_issue
from pmscore.kernel.ids import IssueId, parse_id
from pmscore.kernel.paging import Page as CorePage
from pmscore.kernel.paging import Paged

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/channel-issues"


def listed(services: WebServices, query: IssuesQuery) -> Response:
    """Return one page of the issues, the newest first; those that are open unless others are asked for."""
    is_open = None if query.state is IssueState.ANY else query.state is IssueState.OPEN

    def read() -> Paged[Issue]:
        with services.uow.begin(services.question) as work:
            page = CorePage(query.limit, query.offset)
            return work.issues.find(query.property_id, page, is_open=is_open)

    found = services.retry(read)
    return answer(page_of(map(issue_body, found.items), query, total=found.total))


def close(services: WebServices, issue_id: str) -> Response:
    """Say that an issue was looked at; closing it twice changes nothing."""
    command = CloseIssue(**services.asking, issue_id=IssueId(parse_id(issue_id, field="issue_id")))
    closed = services.retry(lambda: close_issue(command, uow=services.uow, clock=services.clock))
    return answer(issue_body(closed))


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.READ_CHANNELS,
        summary="List what a person has to look at",
        query=IssuesQuery,
        replies={200: Page[ChannelIssueBody]},
    ),
    Route(
        method="POST",
        path=f"{ADDRESS}/<issue_id>/close",
        view=close,
        permission=Permission.WRITE_CHANNELS,
        summary="Close an issue",
        replies={200: ChannelIssueBody},
    ),
)
