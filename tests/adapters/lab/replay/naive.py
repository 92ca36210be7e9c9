"""The figures of a replay once more, as simply as they can be said: counters by type and day, and fractions.

Shares nothing with the product but the format of the file.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from adapters.lab.replay.booking_files import MONTHS

DAY = timedelta(days=1)


def figures(rows: Sequence[Mapping[str, str]], rooms: Mapping[str, int] | None = None) -> dict[str, object]:
    stays, skipped = _sorted_out(rows)
    rooms = _peaks(stays) if rooms is None else dict(rooms)
    in_use: Counter[tuple[str, date]] = Counter()
    living: set[int] = set()
    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    months: defaultdict[str, list[Fraction]] = defaultdict(list)
    days = {
        day for each in stays.values() for day in (each["booked"], each["in"], each["out"], each["ended"])
    }
    for day in sorted(days):
        for number, each in stays.items():  # 1: check-outs
            if each["out"] == day and each["status"] == "Check-Out" and number in living:
                counts["checked_out"] += 1
                for night in each["nights"]:
                    months[f"{night:%Y-%m}"].append(each["rate"])
        for number, each in stays.items():  # 2: bookings
            if each["booked"] != day:
                continue
            if any(in_use[each["type"], night] >= rooms.get(each["type"], 0) for night in each["nights"]):
                refused[each["status"]] += 1
            else:
                living.add(number)
                counts["accepted"] += 1
                in_use.update((each["type"], night) for night in each["nights"])
        for number, each in stays.items():  # 3: cancellations
            if each["status"] == "Canceled" and each["ended"] == day and number in living:
                counts["cancelled"] += 1
                in_use.subtract((each["type"], night) for night in each["nights"])
        for number, each in stays.items():  # 4: check-ins, 5: no-shows
            if each["in"] == day and number in living:
                if each["status"] == "Check-Out":
                    counts["checked_in"] += 1
                if each["status"] == "No-Show":
                    counts["no_show"] += 1
                    in_use.subtract((each["type"], night) for night in each["nights"])
    return {
        "rows": len(rows),
        "skipped": dict(skipped),
        "rooms": rooms,
        **{name: counts[name] for name in ("accepted", "cancelled", "checked_in", "checked_out", "no_show")},
        "refused": sum(refused.values()),
        "refused_by_status": dict(refused),
        "months": {month: _month(month, paid, sum(rooms.values())) for month, paid in months.items()},
    }


def _sorted_out(rows):
    stays, skipped = {}, Counter()
    for number, each in enumerate(rows):
        nights = int(each["stays_in_weekend_nights"]) + int(each["stays_in_week_nights"])
        if nights == 0:
            skipped["zero_nights"] += 1
        elif int(each["adults"]) == 0:
            skipped["no_adult"] += 1
        elif Decimal(each["adr"]) < 0:
            skipped["negative_rate"] += 1
        else:
            month = MONTHS.index(each["arrival_date_month"]) + 1
            arrival = date(int(each["arrival_date_year"]), month, int(each["arrival_date_day_of_month"]))
            stays[number] = {
                "type": each["assigned_room_type"],
                "status": each["reservation_status"],
                "booked": arrival - int(each["lead_time"]) * DAY,
                "in": arrival,
                "out": arrival + nights * DAY,
                "ended": date.fromisoformat(each["reservation_status_date"]),
                "nights": [arrival + step * DAY for step in range(nights)],
                "rate": Fraction(Decimal(each["adr"]).quantize(Decimal("0.01"), ROUND_HALF_UP)),
            }
    return stays, skipped


def _peaks(stays) -> dict[str, int]:
    nights = Counter(
        (each["type"], night)
        for each in stays.values()
        if each["status"] == "Check-Out"
        for night in each["nights"]
    )
    peaks: dict[str, int] = {}
    for (unit_type, _), count in nights.items():
        peaks[unit_type] = max(peaks.get(unit_type, 0), count)
    return peaks


def _month(month: str, paid: list[Fraction], rooms: int) -> dict[str, object]:
    days = monthrange(int(month[:4]), int(month[5:]))[1]
    revenue = sum(paid)
    return {
        "room_nights": len(paid),
        "revenue": _cents(revenue),
        "adr": _cents(revenue / len(paid)),
        "revpar": _cents(revenue / (rooms * days)),
    }


def _cents(amount: Fraction) -> str:
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return str(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))
