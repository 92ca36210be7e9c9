"""``/api/v1/webhooks``: addresses that are told what happens, their secrets, and the log of what was sent.

Owns addresses; the module ``webhooks`` brings them. Messages are carried by the worker.
"""

from __future__ import annotations

from flask import Response

from pms_web.paging import Page, PageQuery, page_of
from pms_web.routing import Idempotency, Route, answer
from pms_web.services import WebServices
from pms_web.webhook_views import (
    DeliveriesQuery,
    DeliveryBody,
    DeliveryWithAttemptsBody,
    NewWebhook,
    Payload,
    SecretRotation,
    WebhookBody,
    WebhookChange,
    WebhookWithSecretBody,
    delivery_body,
    delivery_with_attempts,
    webhook_body,
    webhook_with_secret,
)
from pmscore.access.model.permissions import Permission
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import parse_id
from pmscore.webhooks.model.deliveries import Attempt, Delivery, DeliveryId
from pmscore.webhooks.model.endpoints import Endpoint, EndpointChange, EndpointId
from pmscore.webhooks.ports import DeliveryPage
from pmscore.webhooks.use_cases.endpoints import (
    AddEndpoint,
    ChangeEndpoint,
    Redeliver,
    RemoveEndpoint,
    RotateSecret,
    SendTest,
    WithSecret,
    add_endpoint,
    change_endpoint,
    redeliver,
    remove_endpoint,
    require_whole_reach,
    rotate_secret,
    send_test,
)

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/webhooks"
ONE = f"{ADDRESS}/<webhook_id>"
DELIVERY = f"{ONE}/deliveries/<delivery_id>"


def listed(services: WebServices, query: PageQuery) -> Response:
    """Return one page of the webhooks, the oldest first."""
    require_whole_reach(services.question)

    def read() -> tuple[Endpoint, ...]:
        with services.uow.begin(services.question) as work:
            return work.webhooks.all()

    found = services.retry(read)
    page = found[query.offset : query.offset + query.limit]
    return answer(page_of(map(webhook_body, page), query, total=len(found)))


def add(services: WebServices, body: NewWebhook, once: OnceKey | None) -> Response:
    """Tell an address what happens from now on; the answer shows its secret, this once.

    Under an `Idempotency-Key` a repetition gets the same answer with `secret` null: whoever has lost it has a
    new one made.
    """
    command = AddEndpoint(
        **services.asking,
        url=body.url,
        kinds=body.kinds,
        description=body.description,
        is_full=body.payload is Payload.FULL,
        once=once,
    )
    made = services.retry(
        lambda: add_endpoint(
            command, uow=services.uow, clock=services.clock, ids=services.ids, means=services.webhooks
        )
    )
    return _shown_once(made)


def show(services: WebServices, webhook_id: str) -> Response:
    """Return a webhook."""
    require_whole_reach(services.question)
    key = _webhook_id(webhook_id)

    def read() -> Endpoint:
        with services.uow.begin(services.question) as work:
            return work.webhooks.get(key)

    return answer(webhook_body(services.retry(read)))


def change(services: WebServices, webhook_id: str, body: WebhookChange) -> Response:
    """Change a webhook; making it active again forgets why it was disabled."""
    wanted = EndpointChange(
        url=body.url,
        kinds=body.kinds or None,
        description=body.description,
        is_full=None if body.payload is None else body.payload is Payload.FULL,
        status=body.new_status,
    )
    command = ChangeEndpoint(
        **services.asking, endpoint_id=_webhook_id(webhook_id), change=wanted, version=body.version
    )
    changed = services.retry(lambda: change_endpoint(command, uow=services.uow, means=services.webhooks))
    return answer(webhook_body(changed))


def remove(services: WebServices, webhook_id: str, version: int | None) -> Response:
    """Remove a webhook with its log."""
    command = RemoveEndpoint(**services.asking, endpoint_id=_webhook_id(webhook_id), version=version)
    services.retry(lambda: remove_endpoint(command, uow=services.uow))
    return Response(status=204)


def rotate(services: WebServices, webhook_id: str, body: SecretRotation) -> Response:
    """Give a webhook a new secret, shown this once; the present ones sign beside it for a while."""
    command = RotateSecret(**services.asking, endpoint_id=_webhook_id(webhook_id), keeps=body.keeps)
    made = services.retry(
        lambda: rotate_secret(
            command, uow=services.uow, clock=services.clock, ids=services.ids, means=services.webhooks
        )
    )
    return _shown_once(made)


def test(services: WebServices, webhook_id: str) -> Response:
    """Send a message of the kind ``webhook.test``; the log says what came of it."""
    command = SendTest(**services.asking, endpoint_id=_webhook_id(webhook_id))
    made = services.retry(
        lambda: send_test(command, uow=services.uow, clock=services.clock, ids=services.ids)
    )
    return answer(delivery_body(made), status=202)


def deliveries(services: WebServices, webhook_id: str, query: DeliveriesQuery) -> Response:
    """Return one page of the log of a webhook, the newest first."""
    require_whole_reach(services.question)
    key = _webhook_id(webhook_id)

    def read() -> DeliveryPage:
        with services.uow.begin(services.question) as work:
            return work.deliveries.page(key, status=query.status, limit=query.limit, offset=query.offset)

    found = services.retry(read)
    return answer(page_of(map(delivery_body, found.items), query, total=found.total))


def delivery(services: WebServices, webhook_id: str, delivery_id: str) -> Response:
    """Return a message as it is sent, with every attempt at it."""
    found, attempts = services.retry(lambda: _read_delivery(services, webhook_id, delivery_id))
    return answer(delivery_with_attempts(found, attempts))


def send_again(services: WebServices, webhook_id: str, delivery_id: str) -> Response:
    """Send a message again that was delivered or given up, with the same id."""
    found, _ = services.retry(lambda: _read_delivery(services, webhook_id, delivery_id))
    command = Redeliver(**services.asking, delivery_id=found.delivery_id)
    again = services.retry(lambda: redeliver(command, uow=services.uow, clock=services.clock))
    return answer(delivery_body(again), status=202)


def _shown_once(made: WithSecret) -> Response:
    response = answer(webhook_with_secret(made), status=201)
    response.headers["Location"] = f"{ADDRESS}/{made.endpoint.endpoint_id}"
    return response


def _read_delivery(
    services: WebServices, webhook_id: str, delivery_id: str
) -> tuple[Delivery, tuple[Attempt, ...]]:
    require_whole_reach(services.question)
    endpoint_id = _webhook_id(webhook_id)
    key = DeliveryId(parse_id(delivery_id, field="delivery_id"))
    with services.uow.begin(services.question) as work:
        found = work.deliveries.get(key)
        if found.endpoint_id != endpoint_id:
            raise NotFoundError("webhook_delivery", key)
        return found, work.deliveries.attempts(key)


def _webhook_id(text: str) -> EndpointId:
    return EndpointId(parse_id(text, field="webhook_id"))


_NEW = {"url": "https://hooks.example.com/pms", "kinds": ["booking.*"]}
_MAY = Permission.WRITE_WEBHOOKS

ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=_MAY,
        summary="List the webhooks",
        query=PageQuery,
        replies={200: Page[WebhookBody]},
    ),
    Route(
        method="POST",
        path=ADDRESS,
        view=add,
        permission=_MAY,
        summary="Add a webhook",
        body=NewWebhook,
        replies={201: WebhookWithSecretBody},
        idempotency=Idempotency.OPTIONAL,
        example={**_NEW},
    ),
    Route(
        method="GET",
        path=ONE,
        view=show,
        permission=_MAY,
        summary="Read a webhook",
        replies={200: WebhookBody},
        is_versioned=True,
    ),
    Route(
        method="PATCH",
        path=ONE,
        view=change,
        permission=_MAY,
        summary="Change a webhook",
        body=WebhookChange,
        replies={200: WebhookBody},
        is_versioned=True,
        example={"status": "paused"},
    ),
    Route(
        method="DELETE",
        path=ONE,
        view=remove,
        permission=_MAY,
        summary="Remove a webhook",
        replies={204: None},
        is_versioned=True,
    ),
    Route(
        method="POST",
        path=f"{ONE}/secret",
        view=rotate,
        permission=_MAY,
        summary="Give a webhook a new secret",
        body=SecretRotation,
        replies={201: WebhookWithSecretBody},
        example={"keep_hours": 24},
    ),
    Route(
        method="POST",
        path=f"{ONE}/test",
        view=test,
        permission=_MAY,
        summary="Send a test message",
        replies={202: DeliveryBody},
    ),
    Route(
        method="GET",
        path=f"{ONE}/deliveries",
        view=deliveries,
        permission=_MAY,
        summary="Read the log of a webhook",
        query=DeliveriesQuery,
        replies={200: Page[DeliveryBody]},
    ),
    Route(
        method="GET",
        path=DELIVERY,
        view=delivery,
        permission=_MAY,
        summary="Read a delivery with its attempts",
        replies={200: DeliveryWithAttemptsBody},
    ),
    Route(
        method="POST",
        path=f"{DELIVERY}/redeliver",
        view=send_again,
        permission=_MAY,
        summary="Send a message again",
        replies={202: DeliveryBody},
    ),
)
