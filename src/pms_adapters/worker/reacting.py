"""Letting reactions take in events: one after the other within an aggregate, each with one effect.

Owns trying, trying again and giving up. Which reaction waits for which event stands in the inbox; a job names only
events to look at. Two workers on one aggregate take the same event, and the inbox lets one of them commit.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from uuid import UUID

from attrs import define

from pms_adapters.postgres.events import StoredEvent
from pms_adapters.postgres.inbox import (
    AlreadyDoneError,
    Waiting,
    claim_waiting,
    fail,
    find_first,
    list_chains,
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

_log = logging.getLogger("pms.worker.reactions")


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
        for reaction, aggregate_id in list_chains(self.services.engine, agency_id, events):
            self._carry_on(agency_id, reaction, aggregate_id)

    def _carry_on(self, agency_id: AgencyId, name: str, aggregate_id: UUID) -> None:
        """Take in all that waits of one aggregate; stop at an event that is to be tried again later."""
        reaction = self.reactions.get(name)
        if reaction is None:
            _log.warning("no reaction called %s in this version; its events wait", name)
            return
        while True:
            waiting = find_first(self.services.engine, agency_id, name, aggregate_id)
            if waiting is None or waiting.is_delayed or not self._try(agency_id, reaction, waiting):
                return

    def _try(self, agency_id: AgencyId, reaction: Reaction, waiting: Waiting) -> bool:
        """Try once; return whether the next event of the aggregate may follow."""
        engine = self.services.engine
        keys = (agency_id, waiting.event.event_id, reaction.name)
        if reaction.calls_out and not claim_waiting(engine, *keys, seconds=CLAIM_SECONDS):
            return False
        try:
            self._react(agency_id, reaction, waiting.event)
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

    def _react(self, agency_id: AgencyId, reaction: Reaction, event: StoredEvent) -> None:
        services = ReactionServices(
            agency_id=agency_id,
            event_id=event.event_id,
            reaction=reaction.name,
            worker=self.services,
            calls_out=reaction.calls_out,
        )
        reaction.react(event, services)
        if not services.has_written:
            mark_done(self.services.engine, agency_id, event.event_id, reaction.name)

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
