"""Making and withdrawing API keys.

Owns that the secret is shown once: what is kept is its hash, and a repetition is answered without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

from attrs import field, frozen

from pmscore.access.model.keys import ApiKey
from pmscore.access.model.permissions import Role
from pmscore.access.policies.secrets import fingerprint, key_text, new_secret
from pmscore.access.ports import MemberWork
from pmscore.access.use_cases.reaching import refuse_unknown
from pmscore.kernel.errors import InvalidInputError, MisuseError
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import ApiKeyId, PropertyId
from pmscore.kernel.once import made_or_repeated
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.kernel.secrets import SecretSource

__all__ = ["CreateKey", "NewKey", "RevokeKey", "create_key", "list_keys", "revoke_key"]


@frozen(kw_only=True)
class CreateKey(Command):
    """Make a key for a program."""

    name: str
    role: Role
    reach: frozenset[PropertyId] | None = None
    expires_at: datetime | None = None


@frozen(kw_only=True)
class RevokeKey(Command):
    """Withdraw a key."""

    key_id: ApiKeyId


@frozen(kw_only=True)
class NewKey:
    """A key with its text, which nobody sees a second time: the answer to a repetition has it empty."""

    key: ApiKey
    text: str = field(repr=False)


def create_key(
    command: CreateKey,
    *,
    uow: UnitOfWork[MemberWork],
    secrets: SecretSource,
    clock: Clock,
    ids: IdSource,
) -> NewKey:
    """Write the key and return it with its text; a repetition under the same key of idempotency returns it without.

    The text is kept nowhere, so whoever has lost the first answer withdraws the key and makes another.

    Raises:
        InvalidInputError: a value cannot be; ``property_ids`` is ``unknown_property`` where the agency has no
            such one.
        KeyReusedError: the idempotency key belongs to another request.
    """
    if command.expires_at is not None and command.expires_at.utcoffset() is None:
        raise InvalidInputError("expires_at", "naive")
    key_id = ApiKeyId(ids.new())
    restored = partial(_from_reply, command)

    def attempt() -> NewKey:
        text = key_text(key_id, new_secret(secrets))
        made = NewKey(key=_new_key(command, key_id, clock.now(), fingerprint(text)), text=text)
        with uow.begin(command) as work:
            refuse_unknown(command.reach, work.own_properties)
            work.api_keys.add(made.key)
            work.record(*made.key.created().events)
            reply = _reply(made.key)
            stored = work.commit_once(reply)
        return made if stored == reply else restored(stored)

    return made_or_repeated(command, uow, attempt, restored)


def _new_key(command: CreateKey, key_id: ApiKeyId, at: datetime, key_hash: str) -> ApiKey:
    return ApiKey(
        key_id=key_id,
        agency_id=command.agency_id,
        name=command.name,
        role=command.role,
        key_hash=key_hash,
        property_ids=command.reach,
        created_at=at,
        expires_at=command.expires_at,
    )


def _reply(key: ApiKey) -> Mapping[str, Json]:
    return {"key_id": str(key.key_id), "created_at": key.created_at.isoformat()}


def _from_reply(command: CreateKey, reply: Mapping[str, Json]) -> NewKey:
    match reply:
        case {"key_id": str(key_id), "created_at": str(created_at)}:
            key = _new_key(command, ApiKeyId(UUID(key_id)), datetime.fromisoformat(created_at), "")
            return NewKey(key=key, text="")
        case _:
            raise MisuseError(reply=", ".join(sorted(reply)))


def revoke_key(command: RevokeKey, *, uow: UnitOfWork[MemberWork], clock: Clock) -> ApiKey:
    """Withdraw the key; repeating it changes nothing.

    Raises:
        NotFoundError: there is no such key in this agency.
    """
    with uow.begin(command) as work:
        key = work.api_keys.get(command.key_id)
        decision = key.revoked(clock.now())
        if decision.events:
            work.api_keys.save(decision.state)
            work.record(*decision.events)
            work.commit()
    return decision.state


def list_keys(command: Command, *, uow: UnitOfWork[MemberWork]) -> tuple[ApiKey, ...]:
    """Return the agency's keys, the newest first, withdrawn ones too."""
    with uow.begin(command) as work:
        return work.api_keys.all()
