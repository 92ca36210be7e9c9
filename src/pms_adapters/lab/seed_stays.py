"""Who stays in the demo's houses: drawn by a seeded generator, unit by unit, so that everything fits.

Owns seasons, lengths, parties, prices and how far ahead people book. Nothing is written here: a draw is a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from enum import Enum
from random import Random

from attrs import evolve, frozen

from pmscore.inventory.model.house import Unit, UnitType

__all__ = ["Draw", "DrawKind", "draw_guest", "draw_unit"]

DAYS_BACK = 365
DAYS_AHEAD = 365

# Busy in August, quiet in January: the share of nights that are taken in the end, in hundredths.
_SEASON = (38, 44, 55, 66, 72, 80, 88, 92, 80, 66, 48, 52)
_PRICE = (80, 80, 90, 100, 110, 125, 145, 155, 120, 100, 85, 110)
_FIRST_NAMES = [
    "Ada",
    "Bruno",
    "Clara",
    "Dario",
    "Elisa",
    "Filipe",
    "Greta",
    "Hugo",
    "Inês",
    "Jonas",
    "Katja",
    "Luis",
    "Marta",
    "Nuno",
    "Olga",
    "Paulo",
    "Rita",
    "Simon",
    "Teresa",
    "Ulla",
    "Vasco",
    "Wanda",
    "Yara",
    "Zeno",
    "Amélie",
    "Björn",
    "Chloé",
    "Dénes",
    "Émile",
    "Freya",
]
_LAST_NAMES = [
    "Almeida",
    "Barros",
    "Castro",
    "Duarte",
    "Esteves",
    "Ferreira",
    "Gomes",
    "Henriques",
    "Jardim",
    "Keller",
    "Lopes",
    "Moreira",
    "Neves",
    "Oliveira",
    "Pereira",
    "Ramos",
    "Santos",
    "Teixeira",
    "Vieira",
    "Weber",
    "Schmidt",
    "Dubois",
    "Rossi",
    "Novak",
    "Jensen",
    "Virtanen",
    "Murphy",
    "Smith",
    "Müller",
    "Kowalski",
]
_COUNTRIES = ["PT", "PT", "PT", "DE", "DE", "GB", "GB", "FR", "FR", "ES", "NL", "IE", "IT", "DK", "PL", "US"]
_CHANNELS = [
    "direct",
    "direct",
    "direct",
    "booking_com",
    "booking_com",
    "booking_com",
    "expedia",
    "airbnb",
    "phone",
]
_SEGMENTS = ["leisure", "leisure", "leisure", "business", "groups"]
_NOTES = ("", "", "", "", "", "Late arrival.", "Cot, please.", "Quiet room, please.", "Allergic to feathers.")


class DrawKind(Enum):
    """What a draw becomes. ``EXTRA`` is a booking that was cancelled, or whose guest did not come."""

    STAY = "stay"
    BLOCK = "block"
    HOLD = "hold"
    EXTRA = "extra"


@frozen(kw_only=True)
class Draw:
    """Nights of one unit, and who has them; ``ahead`` is how many days before the arrival it was booked."""

    kind: DrawKind
    unit: Unit
    arrival: date
    nights: int
    ahead: int = 0
    adults: int = 1
    children: int = 0
    nightly: tuple[int, ...] = ()
    channel: str = "direct"
    segment: str = "leisure"
    requests: str = ""
    luck: int = 0

    @property
    def departure(self) -> date:
        """The day after the last night."""
        return self.arrival + timedelta(days=self.nights)


def draw_unit(
    random: Random, unit: Unit, kind: UnitType, night_minor: int, today: date, *, by_week: bool
) -> Iterator[Draw]:
    """Yield what fills two years of a unit, ascending, without an overlap."""
    day = today - timedelta(days=DAYS_BACK - random.randrange(4))
    last = today + timedelta(days=DAYS_AHEAD)
    while day < last:
        if random.randrange(400) == 0:
            nights = 2 + random.randrange(6)
            yield Draw(kind=DrawKind.BLOCK, unit=unit, arrival=day, nights=nights)
            day += timedelta(days=nights)
            continue
        if random.randrange(100) >= _share_taken(day):
            day += timedelta(days=1 + random.randrange(3))
            continue
        nights = _length(random, day, by_week=by_week)
        if day + timedelta(days=nights) > last:
            return
        draw = _stay(random, unit, kind, night_minor, day, nights, by_week=by_week)
        if draw.ahead >= (day - today).days:
            if random.randrange(9) == 0:
                yield evolve(draw, kind=DrawKind.EXTRA)
            is_hold = day > today + timedelta(days=5) and random.randrange(120) == 0
            yield evolve(draw, kind=DrawKind.HOLD) if is_hold else draw
        day += timedelta(days=nights + kind.turnover_nights)


def draw_guest(random: Random) -> tuple[str, str, str, str]:
    """Return an invented name, e-mail address, telephone number and country."""
    first, last = random.choice(_FIRST_NAMES), random.choice(_LAST_NAMES)
    number = random.randrange(10**6)
    plain = f"{first}.{last}".lower().encode("ascii", "ignore").decode("ascii")
    return (
        f"{first} {last}",
        f"{plain}{number}@example.com",
        f"+00 555 {number:06}",
        random.choice(_COUNTRIES),
    )


def _share_taken(day: date) -> int:
    """Return how likely a free night begins a stay, in hundredths."""
    return min(96, _SEASON[day.month - 1] + (8 if day.weekday() in {4, 5} else 0))


def _length(random: Random, day: date, *, by_week: bool) -> int:
    if by_week:
        return random.choice((7, 7, 7, 14) if day.month in {6, 7, 8, 9} else (2, 3, 3, 4, 5, 7))
    return random.choice(
        (1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 7) if day.month in {6, 7, 8} else (1, 1, 1, 2, 2, 2, 3, 3, 4)
    )


def _days_ahead(random: Random, *, by_week: bool) -> int:
    """Return how early somebody books: some in the last weeks, others, and families, half a year ahead."""
    usual = 170 if by_week else random.choice((25, 70, 140))
    return min(360, int(random.expovariate(1 / usual)))


def _stay(
    random: Random, unit: Unit, kind: UnitType, night_minor: int, day: date, nights: int, *, by_week: bool
) -> Draw:
    adults = 1 + random.randrange(min(2, kind.largest_party)) if kind.largest_party < 4 else 2
    children = random.randrange(kind.largest_party - adults + 1) if kind.largest_party > 2 else 0
    return Draw(
        kind=DrawKind.STAY,
        unit=unit,
        arrival=day,
        nights=nights,
        ahead=_days_ahead(random, by_week=by_week),
        adults=adults,
        children=children,
        nightly=tuple(_price(random, night_minor, day + timedelta(days=at)) for at in range(nights)),
        channel=random.choice(_CHANNELS),
        segment=random.choice(_SEGMENTS),
        requests=random.choice(_NOTES),
        luck=random.randrange(100),
    )


def _price(random: Random, night_minor: int, night: date) -> int:
    weekend = 115 if night.weekday() in {4, 5} else 100
    exact = night_minor * _PRICE[night.month - 1] * weekend // 10_000
    return (exact + random.choice((0, 0, 0, -500, 500))) // 100 * 100
