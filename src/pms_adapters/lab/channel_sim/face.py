"""One platform as seen through HTTP: a call comes in, an answer goes out.

Owns counting calls by the platform's own limits and finding out which face a call is for. Leaves what messages look
like to ``faces``, what is sold to the core's ``RemotePlatform``, and what goes wrong on the way to ``wire`` and
``server``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Final, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import field, frozen

from pms_adapters.http.door import Answer
from pmscore.channels.model.manifest import CallGroup, CallKind
from pmscore.channels.model.revisions import Revision
from pmscore.kernel.ports import Clock
from pmscore.kernel.registry import Registry
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_hostility import Hostility
from pmscore.testing.channel_platform import RemotePlatform
from pmscore.testing.draws import Chance

__all__ = ["FACES", "Arrived", "Face", "FaceFactory", "FaceSetting", "answer_of", "arrived", "find_face"]


@frozen(kw_only=True)
class Arrived:
    """A call as it arrived: the path after the face's address, and header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Face(ABC):
    """A platform's HTTP side.

    ``name`` is that of the gateways that speak to it, and the first part of its path on the server;
    ``addresses`` are those that stand for it in process. ``limits`` are what the platform publishes: give
    them to the ``RemotePlatform``, which counts by them.
    """

    name: ClassVar[str]
    addresses: ClassVar[tuple[str, ...]]
    limits: ClassVar[tuple[CallGroup, ...]] = ()
    sells: ClassVar[bool] = True
    """Whether guests book on the platform itself, and are not led to somebody else."""

    def __init__(self, platform: RemotePlatform, *, clock: Clock, hostility: Hostility | None = None) -> None:
        self.platform = platform
        self.clock = clock
        self.hostility = hostility

    @abstractmethod
    def kind_of(self, call: Arrived) -> CallKind:
        """Return what the call counts as."""

    @abstractmethod
    def answer(self, call: Arrived) -> Answer:
        """Carry the call out and return the answer."""

    @abstractmethod
    def too_many(self) -> Answer:
        """Return what the platform says to a call beyond its limits; it is not carried out."""

    def expire_token(self) -> bool:
        """Forget the token that was given out; False where the platform knows none."""
        return False

    def to_enter(self, base_url: str) -> Mapping[str, Secret]:  # noqa: ARG002 - by default it gives out nothing
        """Return the credentials that the platform itself gives out, of the face at ``base_url``; none where people choose them."""
        return {}

    def knock(self, sold: Revision) -> bytes | None:  # noqa: ARG002 - by default a platform says nothing
        """Return the message by which the platform says that something was sold; None where it knows none."""
        return None

    def begin(self, call: Arrived) -> bool:
        """Count the arrival of a call; False where it breaks a limit. Each is to be ended."""
        return self.platform.calls.arrived(self.kind_of(call), self.clock.now())

    def end(self, call: Arrived) -> None:
        """Count that the call is no longer worked on."""
        self.platform.calls.left(self.kind_of(call))


@frozen(kw_only=True)
class FaceSetting:
    """What a face is opened with: one house, who may call, and where chance and time come from.

    ``credentials`` are those of the gateway's manifest, by their names; ``occupancies`` are priced one by one.
    ``sold_on`` is the platform behind a hub, in the hub's words. ``remote`` is the platform itself where there is one
    already; then its own count of calls stands.
    """

    clock: Clock
    chance: Chance
    rooms: Mapping[str, Sequence[str]]
    currency: str
    listing_id: str
    credentials: Mapping[str, Secret]
    hostility: Hostility | None = None
    occupancies: tuple[int, ...] = ()
    sold_on: str = ""
    remote: RemotePlatform | None = None

    def platform(self, face: type[Face]) -> RemotePlatform:
        """Return the platform behind a face, which counts calls by the face's limits."""
        return self.remote or RemotePlatform(
            clock=self.clock,
            chance=self.chance,
            rooms=self.rooms,
            currency=self.currency,
            groups=face.limits,
            # Another house of the same platform has other bookings, and their names tell them apart.
            name=f"{face.name}-{self.listing_id}",
        )


FaceFactory: TypeAlias = Callable[[FaceSetting], Face]

FACES: Final[Registry[FaceFactory]] = Registry("face", "pms_adapters.lab.channel_sim.faces")
"""The faces by their names; a module of ``faces`` registers its own."""


def arrived(
    method: str, target: str, headers: Mapping[str, str], body: bytes, *, address: str = ""
) -> Arrived:
    """Return the call to ``target`` (a path with its query, or a whole address) below a face's ``address``."""
    parts = urlsplit(target.removeprefix(address))
    return Arrived(
        method=method,
        path=unquote(parts.path),
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in headers.items()},
        body=body,
    )


def find_face(faces: Iterable[Face], url: str) -> tuple[Face, str] | None:
    """Return the face that an address belongs to and the part of the address that says so, the longest one."""
    found = [(face, each) for face in faces for each in face.addresses if url.startswith(each)]
    return max(found, key=lambda pair: len(pair[1]), default=None)


def answer_of(status: int, body: bytes, **headers: str) -> Answer:
    """Return an answer; an underscore in a header's name stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=body, seconds=0.0)
