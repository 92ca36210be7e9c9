"""Keeping quotes: stored as they are, held with or without stock, and deleted when nobody wants them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from attrs import evolve, frozen

from pmscore.inventory.model.holds import Hold, HoldStatus
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import StockChange
from pmscore.inventory.ports import ExpiredHolds, change_stock, claiming
from pmscore.kernel.errors import InvalidInputError, MisuseError, TransitionError
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import HoldId, QuoteId
from pmscore.kernel.once import commit_once, made_or_repeated
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.pricing.model.events import QuoteHeld, QuoteKept
from pmscore.pricing.model.quote import KeptQuote, Quote, QuoteStatus
from pmscore.pricing.ports import QuoteWork

__all__ = ["HoldQuote", "KeepQuotes", "PurgeQuotes", "hold_quote", "keep_quotes", "purge_quotes"]

LONGEST_HOLD = timedelta(days=30)


@frozen(kw_only=True)
class KeepQuotes(Command):
    """Store quotes, so that they can be held or booked."""

    quotes: tuple[Quote, ...]


@frozen(kw_only=True)
class HoldQuote(Command):
    """Promise the price of a kept quote until ``until``; ``with_stock`` keeps its rooms as well.

    It replaces an earlier hold of the quote: without ``with_stock`` the rooms of that one are given up.
    """

    quote_id: QuoteId
    until: datetime
    with_stock: bool = False


@frozen(kw_only=True)
class PurgeQuotes(Command):
    """Delete quotes that nobody booked, ``kept_for`` after they have expired; at most ``most`` at a time."""

    kept_for: timedelta = timedelta(days=7)
    most: int = 1_000


def keep_quotes(command: KeepQuotes, *, uow: UnitOfWork[QuoteWork]) -> tuple[KeptQuote, ...]:
    """Store the quotes as they are.

    Raises:
        InvalidInputError: there is none.
    """
    if not command.quotes:
        raise InvalidInputError("quotes", "empty")
    kept = tuple(KeptQuote(quote=quote) for quote in command.quotes)
    with uow.begin(command) as work:
        for each in kept:
            work.quotes.add(each)
            work.record(_kept(each.quote))
        work.commit()
    return kept


def hold_quote(command: HoldQuote, *, uow: UnitOfWork[QuoteWork], clock: Clock, ids: IdSource) -> KeptQuote:
    """Promise the price until then, and claim the rooms where asked to; all or nothing.

    A repetition under the same key returns the quote as it was held, whatever has become of it since.

    Raises:
        NotFoundError: no such quote in this agency.
        InvalidInputError: ``until`` is past, or more than 30 days ahead.
        TransitionError: the quote has expired, or is booked.
        NightsTakenError: the rooms are not free.
        KeyReusedError: the idempotency key belongs to another request.
    """
    now = clock.now()

    def attempt(expired: ExpiredHolds) -> _Held:
        if not now < command.until <= now + LONGEST_HOLD:
            raise InvalidInputError("until", "out_of_range", most_days=LONGEST_HOLD.days)
        with uow.begin(command) as work:
            kept = work.quotes.get(command.quote_id)
            if kept.quote.is_expired(now):
                raise TransitionError("hold", "expired", quote_id=str(command.quote_id))
            holds = (
                _holds(kept.quote, work.houses.get(kept.quote.property_id), command, ids)
                if command.with_stock
                else ()
            )
            change = _given_up(work, kept, now)
            for hold in holds:
                decision = hold.placed(now)
                work.holds.add(hold)
                work.record(*decision.events)
            held = kept.held(tuple(hold.hold_id for hold in holds), command.until)
            work.quotes.save(held)
            work.record(
                QuoteHeld(
                    aggregate_id=command.quote_id,
                    version=held.version,
                    property_id=kept.quote.property_id,
                    until=command.until,
                    hold_ids=held.hold_ids,
                )
            )
            change += StockChange.claiming(*(claim for hold in holds for claim in hold.claims()))
            if change:
                change_stock(work, change, now=now, expired=expired)
            return commit_once(work, command, _Held.of(held), _Held.reply, _Held.from_reply)

    done = made_or_repeated(command, uow, lambda: claiming(attempt), _Held.from_reply)
    with uow.begin(command) as work:
        return done.applied_to(work.quotes.read(command.quote_id))


@frozen(kw_only=True)
class _Held:
    """What holding has changed of a quote; stored under the key of the request."""

    hold_ids: tuple[HoldId, ...]
    until: datetime
    version: int

    @classmethod
    def of(cls, kept: KeptQuote) -> _Held:
        return cls(hold_ids=kept.hold_ids, until=kept.quote.expires_at, version=kept.version)

    def reply(self) -> dict[str, Json]:
        return {
            "hold_ids": [str(each) for each in self.hold_ids],
            "until": self.until.isoformat(),
            "version": self.version,
        }

    @classmethod
    def from_reply(cls, reply: Mapping[str, Json]) -> _Held:
        match reply:
            case {"hold_ids": list(hold_ids), "until": str(until), "version": int(version)}:
                holds = tuple(HoldId(UUID(str(each))) for each in hold_ids)
                return cls(hold_ids=holds, until=datetime.fromisoformat(until), version=version)
            case _:
                raise MisuseError(reason="not_a_reply_of_a_held_quote")

    def applied_to(self, kept: KeptQuote) -> KeptQuote:
        """Return the quote as it was when it was held."""
        return evolve(
            kept,
            quote=evolve(kept.quote, expires_at=self.until),
            status=QuoteStatus.HELD,
            hold_ids=self.hold_ids,
            booking_id=None,
            version=self.version,
        )


def purge_quotes(command: PurgeQuotes, *, uow: UnitOfWork[QuoteWork], clock: Clock) -> int:
    """Delete the agency's quotes that expired long enough ago and were never booked; return how many.

    Raises:
        InvalidInputError: ``kept_for`` is less than nothing, or ``most`` less than one.
    """
    if command.kept_for < timedelta(0):
        raise InvalidInputError("kept_for", "negative")
    if command.most < 1:
        raise InvalidInputError("most", "out_of_range", least=1)
    with uow.begin(command) as work:
        count = work.quotes.purge(clock.now() - command.kept_for, most=command.most)
        work.commit()
        return count


def _given_up(work: QuoteWork, kept: KeptQuote, now: datetime) -> StockChange:
    """Release what an earlier hold of the quote still claims; return the claims that are given up."""
    change = StockChange((), ())
    for hold_id in sorted(kept.hold_ids):
        hold = work.holds.get(hold_id)
        if hold.status is HoldStatus.ACTIVE and not hold.is_expired(now):
            decision = hold.ended(HoldStatus.RELEASED)
            work.holds.save(decision.state)
            work.record(*decision.events)
            change += StockChange.releasing(*hold.claims())
    return change


def _holds(quote: Quote, house: House, command: HoldQuote, ids: IdSource) -> tuple[Hold, ...]:
    unit_type = house.type_of(quote.unit_type_id)
    return tuple(
        Hold(
            hold_id=HoldId(ids.new()),
            property_id=quote.property_id,
            unit_type_id=quote.unit_type_id,
            unit_id=None,
            stay=quote.stay,
            turnover_nights=unit_type.turnover_nights,
            expires_at=command.until,
        )
        for _ in quote.parties
    )


def _kept(quote: Quote) -> QuoteKept:
    return QuoteKept(
        aggregate_id=quote.quote_id,
        version=1,
        property_id=quote.property_id,
        unit_type_id=quote.unit_type_id,
        plan=quote.plan,
        due_minor=quote.totals.due,
        currency=quote.currency.code,
        fingerprint=quote.fingerprint,
    )
