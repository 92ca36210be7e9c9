"""Book a stay in memory, be refused a second time, and print why."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pmscore as pms
from pmscore.testing.memory import FixedClock, InMemoryStore, SeededIds

store, clock, ids = InMemoryStore(), FixedClock(datetime(2027, 5, 1, tzinfo=UTC)), SeededIds("a stay")
asked = {"request_id": ids.new(), "agency_id": ids.new(), "actor_id": ids.new()}
pms.open_agency(pms.OpenAgency(**asked, name="Flora Homes", slug="flora"), uow=store)
villa = pms.NewUnitType(name="Villa", rooms=1, valid_from=date(2027, 1, 1), unit_names=("Villa Flora",))
where = {"zone": pms.Zone("Europe/Lisbon"), "currency": pms.Currency.of("EUR"), "types": (villa,)}
plan = pms.CreateHouse(**asked, **where, name="Flora", business_date=date(2027, 5, 1))
house = pms.create_house(plan, uow=store, ids=ids)
stay = pms.StayRange(date(2027, 7, 3), date(2027, 7, 10))
room = pms.RoomRequest(stay=stay, party=pms.Party(2), nightly=(pms.Money.parse("180.00", "EUR"),) * 7)
wish = {"property_id": house.property.property_id, "rooms": (room,)}
for name in ("Ana Sousa", "Bo Lind"):
    try:
        command = pms.CreateBooking(**asked, **wish, guest=pms.Guest(guest_id=ids.new(), name=name))
        receipt = pms.create_booking(command, uow=store, clock=clock, ids=ids)
        print(f"{name}: booked as {receipt.reference} for {receipt.total.plain()} EUR")
    except pms.NightsTakenError as refusal:
        print(f"{name}: refused,", ", ".join(f"{each.code} on {each.night}" for each in refusal.violations))
