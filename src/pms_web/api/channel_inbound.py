"""``/channel-webhooks/{token}``: where platforms tell that something was sold.

Owns the address; the module ``channel_manager`` finds out which agency a token names. What comes is kept before it is
answered; the worker reads it. Whoever knows no token, or sends what is not the platform's, learns nothing: 404.
"""

from __future__ import annotations

from typing import TypedDict

from flask import Response, request

from pms_web.limits import Allowance
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission
from pmscore.channels.model.calls import Knock
from pmscore.channels.use_cases.addresses import KeepKnock, keep_knock

__all__ = ["INBOUND_ROUTES"]


class KeptMessageBody(TypedDict):
    """What came is kept."""

    status: str


def receive(services: WebServices, token: str) -> Response:
    """Keep a message of a platform; sent twice, it is kept once."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    knock = Knock(headers, request.get_data(cache=False), services.clock.now())
    command = KeepKnock(**services.asking, token=token, knock=knock)
    services.retry(
        lambda: keep_knock(command, uow=services.uow, clock=services.clock, means=services.channels)
    )
    body: KeptMessageBody = {"status": "received"}
    return answer(body)


INBOUND_ROUTES = (
    Route(
        method="POST",
        path="/channel-webhooks/<token>",
        view=receive,
        permission=Permission.READ_PUBLIC,
        summary="Take a message of a platform",
        replies={200: KeptMessageBody},
        allowance=Allowance.PUBLIC,
    ),
)
