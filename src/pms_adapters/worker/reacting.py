"""Letting reactions take in events: one after the other within an aggregate, each with one effect.

Owns trying, trying again and giving up. Which reaction waits for which event stands in the inbox; a job names
only events to look at. What waits is read for all of a job at once, so an event costs the transaction of its
effect and no other. Two workers on one aggregate take the same event, and the inbox lets one of them commit.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias
from uuid import UUID

from attrs import define, field, frozen

from pms_adapters.postgres.events import StoredEvent
from pms_adapters.postgres.inbox import (
    AlreadyDoneError,
    Waiting,
    claim_waiting,
    fail,
    list_chains,
    list_waiting,
    mark_done,
)
from pms_adapters.worker.registry import Reaction
from pms_adapters.worker.services import ReactionServices, WorkerServices
from pmscore.kernel.errors import PmsError, UnreachableError
from pmscore.kernel.ids import AgencyId, EventId

__all__ = ["PAUSES_SECONDS", "Reactor"]

PAUSES_SECONDS = (1.0, 2.0, 4.0)
"""How long after each failure a reaction is tried again; after the one that follows it is given up."""

CLAIM_SECONDS = 60.0
MOST_AT_ONCE = 20
"""How many events of one aggregate are read ahead; the rest follow when these are taken in."""

_Chain: TypeAlias = "tuple[str, UUID]"
"""A reaction and an aggregate: what it takes in one after the other."""

_log = logging.getLogger("pms.worker.reactions")


@frozen
class _Passed:
    """Events by the reaction that took them in without a trace: that is noted for all of them in one go."""

    events: dict[str, list[EventId]] = field(factory=dict[str, "list[EventId]"])

    def add(self, reaction: str, event_id: EventId) -> None:
        """Note one more."""
        self.events.setdefault(reaction, []).append(event_id)


@define
class Reactor:
    """Runs reactions; several workers and threads may do so at once."""

    services: WorkerServices
    reactions: Mapping[str, Reaction]

    def take_in(self, agency_id: AgencyId, events: Sequence[EventId]) -> None:
        """Let every reaction that waits for one of the events take it in, with those before it.

        Raises:
            UnreachableError: the database did not answer; what is not done is found again by the sweeper.
        """
        chains = self._known(list_chains(self.services.engine, agency_id, events))
        while chains:
            chains = self._carry_on(agency_id, chains)

    def _known(self, chains: Iterable[_Chain]) -> tuple[_Chain, ...]:
        found: list[_Chain] = []
        for chain in chains:
            if chain[0] in self.reactions:
                found.append(chain)
            else:
                _log.warning("no reaction called %s in this version; its events wait", chain[0])
        return tuple(found)

    def _carry_on(self, agency_id: AgencyId, chains: Sequence[_Chain]) -> tuple[_Chain, ...]:
        """Take in what waits of each chain, up to an event that is to be tried again later.

        Returns those chains that went on to their end: more may wait there by now.
        """
        engine, passed, went_on = self.services.engine, _Passed(), list[_Chain]()
        for chain, waiting in zip(
            chains, list_waiting(engine, agency_id, chains, most_each=MOST_AT_ONCE), strict=True
        ):
            reaction = self.reactions[chain[0]]
            is_through = all(
                not each.is_delayed and self._try(agency_id, reaction, each, passed) for each in waiting
            )
            if waiting and is_through:
                went_on.append(chain)
        mark_done(engine, agency_id, passed.events)
        return tuple(went_on)

    def _try(self, agency_id: AgencyId, reaction: Reaction, waiting: Waiting, passed: _Passed) -> bool:
        """Try once; return whether the next event of the aggregate may follow."""
        engine = self.services.engine
        keys = (agency_id, waiting.event.event_id, reaction.name)
        if reaction.calls_out and not claim_waiting(engine, *keys, seconds=CLAIM_SECONDS):
            return False
        try:
            self._react(agency_id, reaction, waiting.event, passed)
        except AlreadyDoneError:
            return True
        except UnreachableError as error:
            if error.params.get("reason") in {"no_connection", "no_free_connection", "outcome_unknown"}:
                # The database itself is away: nobody's fault, and nothing could be noted.
                raise
            return self._failed(agency_id, reaction, waiting, str(error))
        except PmsError as error:
            return self._failed(agency_id, reaction, waiting, str(error))
        except Exception as error:  # noqa: BLE001 - a reaction that fails harms no other
            _log.exception("reaction %s failed", reaction.name)
            # An unknown error's own words may hold anything, a guest's name too.
            return self._failed(agency_id, reaction, waiting, type(error).__name__)
        return True

    def _react(self, agency_id: AgencyId, reaction: Reaction, event: StoredEvent, passed: _Passed) -> None:
        services = ReactionServices(
            agency_id=agency_id,
            event_id=event.event_id,
            reaction=reaction.name,
            worker=self.services,
            calls_out=reaction.calls_out,
        )
        reaction.react(event, services)
        if reaction.calls_out:
            # What was called is not to be called again because something later goes wrong.
            mark_done(self.services.engine, agency_id, {reaction.name: (event.event_id,)})
        elif not services.has_written:
            passed.add(reaction.name, event.event_id)

    def _failed(self, agency_id: AgencyId, reaction: Reaction, waiting: Waiting, error: str) -> bool:
        """Note the failure; return whether the reaction is given up, so that those after it may follow."""
        is_last = waiting.attempts >= len(PAUSES_SECONDS)
        again_in = None if is_last else PAUSES_SECONDS[waiting.attempts]
        _log.warning(
            "reaction %s to event %s failed: %s; %s",
            reaction.name,
            waiting.event.event_id,
            error,
            "given up" if is_last else f"again in {again_in:g} s",
        )
        fail(
            self.services.engine,
            agency_id,
            waiting,
            reaction.name,
            again_in=again_in,
            letter_id=self.services.ids.new(),
            error=error,
        )
        return is_last
