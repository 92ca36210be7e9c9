"""What one transaction is about to write, gathered until it commits.

Owns the gathering and the order in which it is sent: key, aggregates, stock, new rows, figures. Leaves the
sending to ``session`` and the statements to the modules of the contexts.
"""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString

from attrs import define, field

from pms_adapters.postgres.documents import as_document
from pms_adapters.postgres.rows import JsonRow, claim_rows
from pms_adapters.postgres.session import Statement
from pms_adapters.postgres.statements import CHANGE_STOCK, INSERT_KEY, INSERT_NEW
from pmscore.guests.model import MetricsChange
from pmscore.inventory.model.stock import StockChange
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import AgencyId

__all__ = ["Expectation", "WriteSet"]


@define
class Expectation:
    """A statement that must touch so many rows, and the error to raise where it does not.

    None for ``rows`` means that any number is right, or that the statement sees to it by itself.
    """

    statement: Statement
    rows: int | None
    otherwise: Exception


@define
class WriteSet:
    """The writes of one transaction; ``is_begun`` where some were sent already, which the commit must not undo."""

    keys: list[JsonRow] = field(factory=list)
    claims: list[JsonRow] = field(factory=list)
    gives_up_claims: bool = False
    is_last_try: bool = True
    guests: list[JsonRow] = field(factory=list)
    bookings: list[JsonRow] = field(factory=list)
    rooms: list[JsonRow] = field(factory=list)
    figures: list[MetricsChange] = field(factory=list)
    events: list[JsonRow] = field(factory=list)
    aggregates: list[Expectation] = field(factory=list)
    is_begun: bool = False

    def must(self, statement: Statement, otherwise: Exception) -> None:
        """Send a statement that touches one row; raise ``otherwise`` where it does not."""
        self.aggregates.append(Expectation(statement, 1, otherwise))

    def may(self, statement: Statement) -> None:
        """Send a statement that touches as many rows as there are."""
        self.aggregates.append(Expectation(statement, None, MisuseError()))

    def add_stock(self, change: StockChange) -> None:
        """Add a change of claims; what is given up comes first."""
        self.claims.extend(claim_rows(-1, change.before))
        self.claims.extend(claim_rows(1, change.after))
        self.gives_up_claims = self.gives_up_claims or bool(change.before)

    @property
    def is_new_bookings_only(self) -> bool:
        """Whether one statement can write it all: new bookings with their claims, guests and events."""
        return (
            bool(self.bookings)
            and bool(self.claims)
            and not self.gives_up_claims
            and not self.aggregates
            and not self.is_begun
            and all(change.bookings > 0 and change.spent.minor == 0 for change in self.figures)
        )

    def document(self, agency_id: AgencyId, **more: object) -> bytes:
        """Return everything that is new as one JSON text, the figures of new guests counted in."""
        guests = {guest["guest_id"]: guest for guest in self.guests}
        figures: list[JsonRow] = []
        for change in self.figures:
            booked_at = change.booked_at
            new = guests.get(change.guest_id)
            if new is None:
                figures.append(
                    {"guest_id": change.guest_id, "bookings": change.bookings, "booked_at": booked_at}
                )
            else:
                _count(new, change.bookings, booked_at)
        return self._written(agency_id, figures=figures, **more)

    def _written(self, agency_id: AgencyId, *, figures: list[JsonRow], **more: object) -> bytes:
        return as_document(
            {
                "agency_id": agency_id,
                "keys": self.keys,
                "claims": self.claims,
                "guests": self.guests,
                "bookings": self.bookings,
                "rooms": self.rooms,
                "figures": figures,
                "events": self.events,
                **more,
            }
        )

    def statements(self, agency_id: AgencyId) -> list[Expectation | Statement]:
        """Return all writes but the figures, in the order in which rows are locked."""
        # Figures follow as updates of their own, of new guests too, so none is counted here.
        document = self._written(agency_id, figures=[])
        send: list[Expectation | Statement] = []
        if self.keys:
            send.append(_taking(INSERT_KEY, document))
        send.extend(self.aggregates)
        if self.claims:
            unclaimed = MisuseError(stock="given_up_unclaimed")
            send.append(Expectation(_taking(CHANGE_STOCK, document), None, unclaimed))
        if self.guests or self.bookings or self.events:
            send.append(_taking(INSERT_NEW, document))
        return send


def _taking(sql: LiteralString, document: bytes) -> Statement:
    return sql, (document,)


def _count(guest: JsonRow, bookings: int, booked_at: datetime) -> None:
    total = guest["total_bookings"]
    guest["total_bookings"] = (total if isinstance(total, int) else 0) + bookings
    guest["first_booking_at"] = guest.get("first_booking_at") or booked_at
    guest["last_booking_at"] = booked_at
