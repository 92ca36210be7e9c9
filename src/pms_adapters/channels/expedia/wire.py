"""What is written to Expedia about nights, and what every answer of theirs says first: success, warnings or errors.

Owns the frame of requests, and the shape of messages about nights: both ends of their ranges are nights, ours end
before the departure. Leaves bookings to ``sales`` and sending to ``gateway``.
"""

from __future__ import annotations

from collections.abc import Iterator

from pms_adapters.channels.expedia.mapping import LONGEST_STAY, MOST_ROOMS, Service, gravest, kind_of_error
from pms_adapters.channels.expedia.refusals import Refusals, Warned
from pms_adapters.serialization.xml import Element, Node, element, written
from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import At, Outcome, OutcomeKind, Push, PushResult
from pmscore.channels.model.mappings import MappedRate, MappedRoom
from pmscore.kernel.errors import InvalidInputError, MisuseError
from pmscore.kernel.money import Money
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["outcome_of_errors", "push_body", "push_result", "request", "warnings"]


def request(at: At, service: Service, *said: Element, hotel: bool = True) -> bytes:
    """Return a request of the connection: who asks, for which hotel, and what.

    Raises:
        InvalidInputError: ``credentials``: one of them is missing.
    """
    username, password = at.credentials.get("username"), at.credentials.get("password")
    if username is None or password is None:
        raise InvalidInputError("credentials", "missing")
    who = element("Authentication", username=username.reveal(), password=password.reveal())
    where = (element("Hotel", id=at.connection.listing_id),) if hotel else ()
    return written(element(f"{service.subject}RQ", who, *where, *said), namespace=service.namespace)


def outcome_of_errors(answer: Node) -> Outcome | None:
    """Return what the errors of an answer come to, None where it has none.

    An error without a number that can be read leaves open what was done.
    """
    errors = answer.children("Error")
    if not errors:
        return None
    codes = [int(code) for code in (each.attr.get("code", "") for each in errors) if _is_number(code)]
    if len(codes) < len(errors):
        return Outcome(OutcomeKind.UNSURE, "error_without_code")
    code = gravest(codes)
    return Outcome(kind_of_error(code), f"error_{code}")


def warnings(answer: Node, service: Service) -> tuple[Warned, ...]:
    """Return the warnings of an answer of success.

    Raises:
        InvalidInputError: it is no answer of success of that service.
    """
    success = answer.child("Success")
    if answer.name != f"{service.subject}RS" or success is None:
        raise InvalidInputError("answer", "not_success")
    return tuple(
        Warned(each.attr.get("code", ""), each.text, each.attr) for each in success.children("Warning")
    )


def push_body(at: At, push: Push) -> bytes:
    """Return the message that says the entries of ``push``.

    Raises:
        InvalidInputError: ``credentials``: one of them is missing.
    """
    return request(at, Service.AVAIL_RATE, *(_update(at, each) for each in push.entries))


def push_result(at: At, push: Push, answer: Node) -> PushResult:
    """Return what came of a push that was answered with success: warnings name what was not taken.

    A warning that cannot be placed puts everything in doubt: all of the push counts as refused, never as taken.

    Raises:
        InvalidInputError: the answer is none to a push.
    """
    refused = Refusals(at, push.entries)
    for each in warnings(answer, Service.AVAIL_RATE):
        refused.add(each)
    found = refused.found()
    kind = OutcomeKind.PARTLY if found else OutcomeKind.DONE
    return PushResult(Outcome(kind, found[0].reason if found else ""), found)


def _update(at: At, entry: Entry) -> Element:
    nights = entry.nights
    ends = {"from": nights.start.isoformat(), "to": nights.last_night.isoformat()}
    return element("AvailRateUpdate", element("DateRange", **ends), _room_type(at, entry))


def _room_type(at: At, entry: Entry) -> Element:
    match at.mappings.by_id(entry.mapping_id):
        case MappedRoom() as room:
            count = min(entry.values[MatrixField.SELLABLE, 0], MOST_ROOMS)
            said = element("Inventory", totalInventoryAvailable=str(count))
            return element("RoomType", said, id=room.room_code)
        case MappedRate() as rate:
            return element("RoomType", _rate_plan(at, rate, entry), id=rate.room_code)
        case None:
            raise MisuseError(unmapped=str(entry.mapping_id))


def _rate_plan(at: At, rate: MappedRate, entry: Entry) -> Element:
    closed = entry.values.get((MatrixField.CLOSED, 0))
    attr = {"id": rate.rate_code} | ({} if closed is None else {"closed": _flag(closed)})
    return element("RatePlan", *_rates(at, entry), *_restrictions(entry), **attr)


def _rates(at: At, entry: Entry) -> Iterator[Element]:
    prices = {
        occupancy: Money(value, at.currency).plain()
        for (name, occupancy), value in entry.values.items()
        if name is MatrixField.RATE
    }
    if 0 in prices:
        yield element("Rate", element("PerDay", rate=prices[0]), currency=at.currency.code)
    elif prices:
        said = (
            element("PerOccupancy", rate=price, occupancy=str(occupancy))
            for occupancy, price in sorted(prices.items())
        )
        yield element("Rate", *said, currency=at.currency.code)


def _restrictions(entry: Entry) -> Iterator[Element]:
    """Yield the rules; a minimum that no stay of theirs reaches closes the arrival."""
    said: dict[str, str] = {}
    least = entry.values.get((MatrixField.MIN_STAY_ARRIVAL, 0))
    most = entry.values.get((MatrixField.MAX_STAY_ARRIVAL, 0))
    none_arrives = entry.values.get((MatrixField.CLOSED_TO_ARRIVAL, 0))
    none_leaves = entry.values.get((MatrixField.CLOSED_TO_DEPARTURE, 0))
    if least is not None:
        said["minLOS"] = str(min(max(least, 1), LONGEST_STAY))
        if least > LONGEST_STAY:
            none_arrives = 1
    if most is not None:
        said["maxLOS"] = str(min(most or LONGEST_STAY, LONGEST_STAY))
    if none_arrives is not None:
        said["closedToArrival"] = _flag(none_arrives)
    if none_leaves is not None:
        said["closedToDeparture"] = _flag(none_leaves)
    if said:
        yield element("Restrictions", **said)


def _flag(value: int) -> str:
    return "true" if value else "false"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6
