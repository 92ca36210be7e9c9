"""Looking after endpoints: add, change, rotate the secret, remove, test, send a message again.

Messages tell of all houses of the agency, so whoever looks after endpoints must be somebody who may see all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from attrs import frozen

from pmscore.kernel.errors import (
    InvalidInputError,
    MisuseError,
    NotFoundError,
    PermissionDeniedError,
    StaleVersionError,
    TransitionError,
)
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import EventId
from pmscore.kernel.once import made_or_repeated
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.kernel.secrets import Secret
from pmscore.kernel.text import checked_text
from pmscore.webhooks.model.deliveries import Delivery, DeliveryId
from pmscore.webhooks.model.endpoints import (
    SEALED_COLUMN,
    Endpoint,
    EndpointChange,
    EndpointId,
    EndpointStatus,
    SigningSecret,
    checked_kinds,
)
from pmscore.webhooks.policies.messages import TEST_KIND, test_message
from pmscore.webhooks.policies.signing import new_secret
from pmscore.webhooks.ports import WebhookMeans, WebhookWork

__all__ = [
    "AddEndpoint",
    "ChangeEndpoint",
    "Redeliver",
    "RemoveEndpoint",
    "RotateSecret",
    "SendTest",
    "WithSecret",
    "add_endpoint",
    "change_endpoint",
    "redeliver",
    "remove_endpoint",
    "require_whole_reach",
    "rotate_secret",
    "send_test",
]

MOST_ENDPOINTS: Final = 50
USUAL_KEEPING: Final = timedelta(hours=24)
LONGEST_KEEPING: Final = timedelta(days=7)


@frozen(kw_only=True)
class AddEndpoint(Command):
    """Tell an address what happens."""

    url: str
    kinds: tuple[str, ...]
    description: str = ""
    is_full: bool = False


@frozen(kw_only=True)
class ChangeEndpoint(Command):
    """Change an endpoint; ``version`` is the one that the change was made from, None whatever it is."""

    endpoint_id: EndpointId
    change: EndpointChange
    version: int | None = None


@frozen(kw_only=True)
class RotateSecret(Command):
    """Give an endpoint a new secret; the present ones sign beside it for ``keeps`` longer."""

    endpoint_id: EndpointId
    keeps: timedelta = USUAL_KEEPING


@frozen(kw_only=True)
class RemoveEndpoint(Command):
    """Remove an endpoint with its log; ``version`` is the one that the asker has seen, None whatever it is."""

    endpoint_id: EndpointId
    version: int | None = None


@frozen(kw_only=True)
class SendTest(Command):
    """Send an endpoint a message that says nothing."""

    endpoint_id: EndpointId


@frozen(kw_only=True)
class Redeliver(Command):
    """Send a message again that was delivered or given up."""

    delivery_id: DeliveryId


@frozen
class WithSecret:
    """An endpoint with its newest secret, which is shown this once: the answer to a repetition has None."""

    endpoint: Endpoint
    secret: Secret | None


def add_endpoint(
    command: AddEndpoint, *, uow: UnitOfWork[WebhookWork], clock: Clock, ids: IdSource, means: WebhookMeans
) -> WithSecret:
    """Add an endpoint with a fresh secret; a repetition under the same key returns it without the secret.

    The secret is kept sealed and nowhere else, so whoever has lost the first answer has a new one made.

    Raises:
        InvalidInputError: the address may not be called, a kind is none, or there are too many endpoints.
        KeyReusedError: the idempotency key belongs to another request.
        PermissionDeniedError: the asker does not see all of the agency.
    """
    require_whole_reach(command)
    endpoint_id = EndpointId(ids.new())
    restored = partial(_from_reply, command)

    def attempt() -> WithSecret:
        means.post.check(command.url)
        secret, sealed = _drawn(command, clock=clock, ids=ids, means=means)
        decision = _new_endpoint(command, endpoint_id, sealed).added()
        endpoint = decision.state
        with uow.begin(command) as work:
            if len(work.webhooks.all()) >= MOST_ENDPOINTS:
                raise InvalidInputError("url", "too_many", most=MOST_ENDPOINTS)
            work.webhooks.add(endpoint)
            work.record(*decision.events)
            reply = _reply(endpoint)
            stored = work.commit_once(reply)
        return WithSecret(endpoint, secret) if stored == reply else restored(stored)

    return made_or_repeated(command, uow, attempt, restored)


def _new_endpoint(command: AddEndpoint, endpoint_id: EndpointId, sealed: SigningSecret) -> Endpoint:
    return Endpoint(
        endpoint_id=endpoint_id,
        url=command.url,
        kinds=checked_kinds(command.kinds),
        description=checked_text(command.description, field="description", may_be_empty=True),
        is_full=command.is_full,
        created_at=sealed.created_at,
        secrets=(sealed,),
    )


def _reply(endpoint: Endpoint) -> Mapping[str, Json]:
    (secret,) = endpoint.secrets
    return {
        "endpoint_id": str(endpoint.endpoint_id),
        "secret_id": str(secret.secret_id),
        "created_at": endpoint.created_at.isoformat(),
    }


def _from_reply(command: AddEndpoint, reply: Mapping[str, Json]) -> WithSecret:
    match reply:
        case {"endpoint_id": str(endpoint_id), "secret_id": str(secret_id), "created_at": str(created_at)}:
            at = datetime.fromisoformat(created_at)
            unknown = SigningSecret(secret_id=UUID(secret_id), sealed="", created_at=at)
            return WithSecret(_new_endpoint(command, EndpointId(UUID(endpoint_id)), unknown), None)
        case _:
            raise MisuseError(reply=", ".join(sorted(reply)))


def change_endpoint(
    command: ChangeEndpoint, *, uow: UnitOfWork[WebhookWork], means: WebhookMeans
) -> Endpoint:
    """Change an endpoint; what is on its way to it goes on from where it stands.

    Raises:
        NotFoundError: there is none.
        InvalidInputError: as for adding.
        StaleVersionError: it has changed since it was read.
        PermissionDeniedError: the asker does not see all of the agency.
    """
    require_whole_reach(command)
    wanted = command.change
    if wanted.url is not None:
        means.post.check(wanted.url)
    checked = EndpointChange(
        url=wanted.url,
        kinds=None if wanted.kinds is None else checked_kinds(wanted.kinds),
        description=None
        if wanted.description is None
        else checked_text(wanted.description, field="description", may_be_empty=True),
        is_full=wanted.is_full,
        status=wanted.status,
    )
    with uow.begin(command) as work:
        endpoint = work.webhooks.get(command.endpoint_id)
        if command.version is not None and command.version != endpoint.version:
            raise StaleVersionError(endpoint_id=str(command.endpoint_id))
        decision = endpoint.change(checked)
        if decision.events:
            work.webhooks.save(decision.state)
            work.record(*decision.events)
            work.commit()
    return decision.state


def rotate_secret(
    command: RotateSecret, *, uow: UnitOfWork[WebhookWork], clock: Clock, ids: IdSource, means: WebhookMeans
) -> WithSecret:
    """Give an endpoint a new secret.

    Raises:
        NotFoundError: there is none.
        InvalidInputError: the present ones would sign for longer than seven days.
        TransitionError: too many are still in use.
        PermissionDeniedError: the asker does not see all of the agency.
    """
    require_whole_reach(command)
    if not timedelta() <= command.keeps <= LONGEST_KEEPING:
        raise InvalidInputError("keep_hours", "out_of_range", least=0, most=168)
    secret, sealed = _drawn(command, clock=clock, ids=ids, means=means)
    with uow.begin(command) as work:
        decision = work.webhooks.get(command.endpoint_id).rotate(sealed, keeps=command.keeps)
        work.webhooks.save(decision.state)
        work.record(*decision.events)
        work.commit()
    return WithSecret(decision.state, secret)


def remove_endpoint(command: RemoveEndpoint, *, uow: UnitOfWork[WebhookWork]) -> None:
    """Remove an endpoint with its log.

    Raises:
        NotFoundError: there is none.
        StaleVersionError: it has changed since it was read.
        PermissionDeniedError: the asker does not see all of the agency.
    """
    require_whole_reach(command)
    with uow.begin(command) as work:
        endpoint = work.webhooks.get(command.endpoint_id)
        if command.version not in {None, endpoint.version}:
            raise StaleVersionError(endpoint_id=str(command.endpoint_id))
        decision = endpoint.removed()
        work.webhooks.remove(command.endpoint_id)
        work.record(*decision.events)
        work.commit()


def send_test(command: SendTest, *, uow: UnitOfWork[WebhookWork], clock: Clock, ids: IdSource) -> Delivery:
    """Put a message that says nothing on its way; paused and disabled endpoints are refused.

    Raises:
        NotFoundError: there is none.
        TransitionError: nothing is sent to it now.
        PermissionDeniedError: the asker does not see all of the agency.
    """
    require_whole_reach(command)
    now = clock.now()
    with uow.begin(command) as work:
        endpoint = work.webhooks.get(command.endpoint_id)
        if endpoint.status is not EndpointStatus.ACTIVE:
            raise TransitionError("test_webhook", endpoint.status.value)
        delivery = Delivery(
            delivery_id=DeliveryId(ids.new()),
            endpoint_id=endpoint.endpoint_id,
            event_id=EventId(ids.new()),
            kind=TEST_KIND,
            body=test_message(endpoint.endpoint_id, now),
            created_at=now,
            next_at=now,
        )
        work.deliveries.add(delivery)
        work.commit()
    return delivery


def redeliver(command: Redeliver, *, uow: UnitOfWork[WebhookWork], clock: Clock) -> Delivery:
    """Put a message on its way again, with the same id and body.

    Raises:
        NotFoundError: there is no such delivery.
        TransitionError: it is still on its way, or nothing is sent to its endpoint now.
        PermissionDeniedError: the asker does not see all of the agency.
    """
    require_whole_reach(command)
    with uow.begin(command) as work:
        delivery = work.deliveries.get(command.delivery_id)
        endpoint = next(
            (each for each in work.webhooks.all() if each.endpoint_id == delivery.endpoint_id), None
        )
        if endpoint is None:
            raise NotFoundError("webhook", delivery.endpoint_id)
        if endpoint.status is EndpointStatus.DISABLED:
            raise TransitionError("redeliver", endpoint.status.value)
        again = delivery.again(clock.now())
        work.deliveries.save(again)
        work.commit()
    return again


def require_whole_reach(command: Command) -> None:
    """Go on only if the asker sees all of the agency: addresses, and the log of what was told them, are its own.

    Raises:
        PermissionDeniedError: they see some properties only.
    """
    if command.property_ids is not None:
        raise PermissionDeniedError(permission="webhooks.write", reason="sees_some_properties_only")


def _drawn(
    command: Command, *, clock: Clock, ids: IdSource, means: WebhookMeans
) -> tuple[Secret, SigningSecret]:
    secret = new_secret(means.secrets)
    sealed = means.box.seal(command.agency_id, SEALED_COLUMN, secret)
    return secret, SigningSecret(secret_id=ids.new(), sealed=sealed, created_at=clock.now())
