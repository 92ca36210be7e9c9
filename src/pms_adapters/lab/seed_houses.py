"""The houses of the demo: a hotel with 120 rooms and eight holiday homes, all invented.

Owns names, sizes and what a night costs. Leaves who stays to ``seed_stays``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from attrs import frozen

from pmscore.dates.zones import Zone
from pmscore.inventory.use_cases.houses import NewUnitType
from pmscore.kernel.money import Currency

__all__ = ["HOMES", "HOTEL", "HouseDraft", "TypeDraft"]


@frozen(kw_only=True)
class TypeDraft:
    """A unit type to be made; ``night_minor`` is an ordinary night in minor units."""

    name: str
    floors: tuple[int, ...] = ()
    rooms_a_floor: int = 1
    first_room: int = 1
    largest_party: int = 2
    turnover_nights: int = 0
    night_minor: int = 10_000

    def unit_names(self) -> tuple[str, ...]:
        """Return the numbers on the doors; a holiday home has its own name there."""
        numbers = range(self.first_room, self.first_room + self.rooms_a_floor)
        return tuple(f"{floor}{number:02}" for floor in self.floors for number in numbers) or (self.name,)

    def new(self, valid_from: date) -> NewUnitType:
        """Return what the inventory is asked to make."""
        names = self.unit_names()
        return NewUnitType(
            name=self.name,
            rooms=len(names),
            valid_from=valid_from,
            largest_party=self.largest_party,
            turnover_nights=self.turnover_nights,
            unit_names=names,
        )


@frozen(kw_only=True)
class HouseDraft:
    """A property to be made; ``by_week`` is how a holiday home is let in the season."""

    name: str
    address: str
    zone: Zone
    currency: Currency
    types: tuple[TypeDraft, ...]
    by_week: bool = False

    def night_minor(self) -> Mapping[str, int]:
        """Return what an ordinary night costs, by the name of the type."""
        return {each.name: each.night_minor for each in self.types}


def _home(name: str, address: str, sleeps: int, night_minor: int) -> HouseDraft:
    kind = TypeDraft(name=name, largest_party=sleeps, turnover_nights=sleeps // 5, night_minor=night_minor)
    return HouseDraft(
        name=name,
        address=address,
        zone=Zone("Europe/Lisbon"),
        currency=Currency.of("EUR"),
        types=(kind,),
        by_week=True,
    )


HOTEL = HouseDraft(
    name="Hotel Miradouro",
    address="Rua das Andorinhas 1, Lagoa Nova",
    zone=Zone("Europe/Lisbon"),
    currency=Currency.of("EUR"),
    types=(
        TypeDraft(name="Standard Double", floors=(1, 2, 3, 4, 5), rooms_a_floor=12, night_minor=9_500),
        TypeDraft(
            name="Superior Double", floors=(1, 2, 3, 4, 5), rooms_a_floor=6, first_room=13, night_minor=12_500
        ),
        TypeDraft(
            name="Family Room",
            floors=(1, 2, 3),
            rooms_a_floor=6,
            first_room=19,
            largest_party=4,
            night_minor=15_500,
        ),
        TypeDraft(
            name="Junior Suite",
            floors=(4, 5),
            rooms_a_floor=5,
            first_room=19,
            largest_party=3,
            night_minor=19_500,
        ),
        TypeDraft(name="Suite", floors=(6,), rooms_a_floor=2, largest_party=4, night_minor=32_000),
    ),
)

HOMES = (
    _home("Casa da Figueira", "Caminho do Poço 4, Lagoa Nova", 6, 18_000),
    _home("Casa do Farol", "Estrada do Cabo 11, Lagoa Nova", 8, 26_000),
    _home("Quinta das Amoras", "Vale Verde 2, Serra Alta", 10, 34_000),
    _home("Apartamento Girassol", "Rua do Sol 27, Lagoa Nova", 4, 11_500),
    _home("Apartamento Maresia", "Rua do Mar 3, Lagoa Nova", 4, 12_500),
    _home("Moinho Velho", "Alto do Vento, Serra Alta", 2, 9_800),
    _home("Cabana do Pinhal", "Pinhal Novo 8, Serra Alta", 5, 14_000),
    _home("Villa Oliveira", "Monte da Oliveira, Lagoa Nova", 12, 42_000),
)
