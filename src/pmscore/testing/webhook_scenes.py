"""Doubles of what webhooks need from outside, and short names for their commands.

Owns a box without a lock, a post that is told what to answer, and what one agency does with its endpoints. Leaves the
store to whoever tests one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from attrs import Factory, define, frozen

from pmscore.kernel.errors import MisconfiguredError
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import AgencyId, EventId
from pmscore.kernel.ports import IdSource
from pmscore.kernel.secrets import Secret, SecretBox
from pmscore.testing.access_scenes import NumberedSecrets
from pmscore.testing.scenes import Scene
from pmscore.webhooks.model.deliveries import Attempt, Delivery, DeliveryId, DeliveryStatus, Outcome
from pmscore.webhooks.model.endpoints import Endpoint, EndpointChange, EndpointId, EndpointStatus
from pmscore.webhooks.policies.messages import Happening
from pmscore.webhooks.ports import DeliveryPage, WebhookMeans, WebhookPost
from pmscore.webhooks.use_cases.delivering import (
    Announce,
    DeliverDue,
    PurgeDeliveries,
    announce,
    deliver_due,
    purge_deliveries,
)
from pmscore.webhooks.use_cases.endpoints import (
    AddEndpoint,
    ChangeEndpoint,
    Redeliver,
    RemoveEndpoint,
    RotateSecret,
    WithSecret,
    add_endpoint,
    change_endpoint,
    redeliver,
    remove_endpoint,
    rotate_secret,
)

__all__ = ["HookScene", "LabelledBox", "Posted", "ToldPost", "open_hook_scene"]


class LabelledBox(SecretBox):
    """Writes beside a secret whose it is and where it stands, and gives it out for nothing else."""

    def seal(self, agency_id: AgencyId, column: str, secret: Secret) -> str:
        """Return the secret with its label."""
        return f"{agency_id}|{column}|{secret.reveal()}"

    def open(self, agency_id: AgencyId, column: str, sealed: str) -> Secret:
        """Return the secret, if the label is right."""
        label = f"{agency_id}|{column}|"
        if not sealed.startswith(label):
            raise MisconfiguredError(reason="sealed_for_another_place")
        return Secret(sealed.removeprefix(label))

    def is_current(self, sealed: str) -> bool:  # noqa: ARG002 - there is one key
        """Return True: nothing is ever sealed anew."""
        return True


@frozen
class Posted:
    """A message as it was sent."""

    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        """The id by which a receiver knows the message again."""
        return self.headers["webhook-id"]


@define
class ToldPost(WebhookPost):
    """Keeps what is sent. It answers with the first of ``answers``, the last one for ever; 200 where there is none.

    ``meanwhile`` is called while whoever sends waits for the answer.
    """

    answers: list[Outcome] = Factory(list[Outcome])
    meanwhile: Callable[[], object] | None = None
    sent: list[Posted] = Factory(list[Posted])

    def check(self, url: str) -> None:
        """Take any address."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Keep the message and answer."""
        self.sent.append(Posted(url, dict(headers), body))
        if self.meanwhile is not None:
            self.meanwhile()
        if not self.answers:
            return Outcome(status=200)
        return self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)


@frozen
class HookScene:
    """One agency's endpoints; the methods are commands."""

    scene: Scene
    means: WebhookMeans
    post: ToldPost

    def add(
        self,
        *kinds: str,
        url: str = "https://hooks.example/in",
        is_full: bool = False,
        once: OnceKey | None = None,
    ) -> WithSecret:
        """Add an endpoint, for all kinds unless some are named."""
        asked = AddEndpoint(**self.scene.asked(), url=url, kinds=kinds or ("*",), is_full=is_full, once=once)
        at = self.scene
        return add_endpoint(asked, uow=at.store, clock=at.clock, ids=at.ids, means=self.means)

    def change(
        self,
        endpoint: Endpoint,
        status: EndpointStatus | None = None,
        *,
        version: int | None = None,
        said: str | None = None,
    ) -> Endpoint:
        """Change what an endpoint is told, or what is said of it."""
        asked = ChangeEndpoint(
            **self.scene.asked(),
            endpoint_id=endpoint.endpoint_id,
            change=EndpointChange(status=status, description=said),
            version=version,
        )
        return change_endpoint(asked, uow=self.scene.store, means=self.means)

    def rotate(self, endpoint: Endpoint) -> WithSecret:
        """Give an endpoint a new secret."""
        at, asked = self.scene, RotateSecret(**self.scene.asked(), endpoint_id=endpoint.endpoint_id)
        return rotate_secret(asked, uow=at.store, clock=at.clock, ids=at.ids, means=self.means)

    def remove(self, endpoint: Endpoint) -> None:
        """Remove an endpoint."""
        asked = RemoveEndpoint(**self.scene.asked(), endpoint_id=endpoint.endpoint_id)
        remove_endpoint(asked, uow=self.scene.store)

    def tell(self, kind: str = "booking.created", event_id: UUID | None = None) -> int:
        """Tell of an event, a new one unless its id is given; return how many want to know."""
        at = self.scene
        event = Happening(
            event_id=EventId(event_id or at.ids.new()),
            kind=kind,
            aggregate="booking",
            aggregate_id=at.ids.new(),
            version=1,
            at=at.clock.now(),
            payload={"property_id": str(at.property_id)},
        )
        return announce(Announce(**at.asked(), event=event), uow=at.store, clock=at.clock, ids=at.ids)

    def deliver(self, most: int = 10) -> int:
        """Carry what is due; return how many were tried."""
        at, asked = self.scene, DeliverDue(**self.scene.asked(), most=most)
        return deliver_due(asked, uow=at.store, clock=at.clock, ids=at.ids, means=self.means)

    def again(self, delivery: Delivery) -> Delivery:
        """Send a message again that has ended."""
        asked = Redeliver(**self.scene.asked(), delivery_id=delivery.delivery_id)
        return redeliver(asked, uow=self.scene.store, clock=self.scene.clock)

    def purge(self, asked: PurgeDeliveries) -> int:
        """Forget what ended long ago."""
        return purge_deliveries(asked, uow=self.scene.store, clock=self.scene.clock)

    def endpoint(self, endpoint_id: EndpointId) -> Endpoint:
        """Return an endpoint as it is now."""
        with self.scene.begin() as work:
            return work.webhooks.get(endpoint_id)

    def page(
        self, endpoint: Endpoint, status: DeliveryStatus | None = None, *, limit: int = 100, offset: int = 0
    ) -> DeliveryPage:
        """Return a page of an endpoint's log."""
        with self.scene.begin() as work:
            return work.deliveries.page(endpoint.endpoint_id, status=status, limit=limit, offset=offset)

    def attempts(self, delivery_id: DeliveryId) -> tuple[Attempt, ...]:
        """Return the attempts at a delivery."""
        with self.scene.begin() as work:
            return work.deliveries.attempts(delivery_id)


def open_hook_scene(scene: Scene, ids: IdSource) -> HookScene:
    """Return the endpoints of an agency, none yet."""
    post = ToldPost()
    return HookScene(scene, WebhookMeans(box=LabelledBox(), secrets=NumberedSecrets(ids), post=post), post)
