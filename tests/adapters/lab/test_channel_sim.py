"""Simulated platforms over real connections: what a gateway meets there, and that a seed repeats itself."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from attrs import evolve

from adapters.http.receiver import LOOPBACK, receiving
from pms_adapters.channels.channex import ChannexGateway
from pms_adapters.http.door import Call, HttpDoor
from pms_adapters.http.guard import Guard
from pms_adapters.lab.channel_sim.opening import Knocks, ShiftedClock, open_house, platform_names, simulated
from pms_adapters.lab.channel_sim.sales import Seller
from pms_adapters.lab.channel_sim.server import serving
from pmscore.channels.model.calls import Knock, OutcomeKind, Push
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.revisions import Revision
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_hostility import FateKind, Hostility
from pmscore.testing.channel_platform import Garbled
from pmscore.testing.clocks import MovableClock
from pmscore.testing.draws import Draws
from pmscore.testing.gateway_scenes import GatewayScene, ScriptedHostility, Spoken, at_of, fate

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


@contextmanager
def reached(hostility: ScriptedHostility) -> Iterator[GatewayScene]:
    """Yield a gateway that reaches a simulated house through the door, over loopback."""
    clock = MovableClock(NOW)
    house = open_house("channex", seed=5, clock=clock, hostility=hostility)
    guard = Guard(networks=LOOPBACK)
    with (
        serving((house.face,), hostility=hostility, longest_stall=0.1) as server,
        HttpDoor(guard, clock=clock) as door,
    ):
        gateway = ChannexGateway(door, clock)
        spoken = Spoken(
            gateway=gateway,
            credentials=house.credentials,
            listing_id=house.listing_id,
            settings={"base_url": server.url("channex")},
        )
        at = at_of(spoken, house.face.platform)
        rates = tuple(evolve(each, occupancies=()) for each in at.mappings.rates)
        at = evolve(at, mappings=evolve(at.mappings, rates=rates))
        yield GatewayScene(
            gateway=gateway, platform=house.face.platform, hostility=hostility, clock=clock, at=at
        )


def test_a_gateway_works_against_a_simulated_platform_over_http() -> None:
    with reached(ScriptedHostility()) as scene:
        assert scene.gateway.check(scene.at).is_healthy
        entries = scene.entries(frozenset({MatrixField.SELLABLE}))
        assert scene.pushed(Lane.AVAILABILITY, entries).outcome.kind is OutcomeKind.DONE
        assert all(row == (None, 3, 3, 3, None) for row in scene.told(entries[0]).values())
        sold = scene.platform.sell(scene.nights.start, scene.nights.start)
        while sold is None:
            sold = scene.platform.sell(scene.nights.start, scene.nights.start)
        (pulled,) = scene.gateway.pull(scene.at, "").revisions
        assert pulled.booking_key == sold.booking_key
        assert scene.gateway.acknowledge(scene.at, (scene.stored(pulled),)).kind is OutcomeKind.DONE
        assert scene.platform.is_all_known


@pytest.mark.parametrize(
    ("kind", "expected", "is_done"),
    [
        (FateKind.LOST_BEFORE, OutcomeKind.UNSURE, False),
        (FateKind.LOST_AFTER, OutcomeKind.UNSURE, True),
        (FateKind.STALLED, OutcomeKind.UNSURE, True),
        (FateKind.MALFORMED, OutcomeKind.UNSURE, True),
        (FateKind.FAILED, OutcomeKind.UNSURE, False),
        (FateKind.OUTAGE, OutcomeKind.DOWN, False),
        (FateKind.BUSY, OutcomeKind.BUSY, False),
    ],
)
def test_a_bad_day_is_a_bad_day_on_a_real_connection(
    kind: FateKind, expected: OutcomeKind, is_done: bool
) -> None:
    hostility = ScriptedHostility()
    with reached(hostility) as scene:
        for nights in (scene.nights, scene.nights.shifted(5)):
            entries = scene.entries(frozenset({MatrixField.SELLABLE}), nights=nights)
            hostility.meets(fate(kind))
            outcome = scene.pushed(Lane.AVAILABILITY, entries).outcome
            assert outcome.kind is expected, outcome
            assert outcome.retry_after == (37 if kind is FateKind.BUSY else None)
            assert all(any(row) == is_done for row in scene.told(entries[0]).values())
        entries = scene.entries(frozenset({MatrixField.SELLABLE}))
        assert scene.pushed(Lane.AVAILABILITY, entries).outcome.kind is OutcomeKind.DONE


def test_no_line_of_a_log_shows_a_key_or_a_guest(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), reached(ScriptedHostility()) as scene:
        sold = scene.platform.oversell(scene.nights.start, scene.nights.start)
        assert scene.gateway.pull(scene.at, "").revisions[0].guest.email == sold.guest.email
        scene.hostility.meets(fate(FateKind.FAILED), fate(FateKind.LOST_AFTER))
        scene.gateway.pull(scene.at, "")
        scene.gateway.check(scene.at)
    assert "/channex/booking_revisions/feed" in caplog.text
    secrets = (scene.at.credentials["api_key"].reveal(), sold.guest.email, sold.guest.name)
    assert not [each for each in secrets if each in caplog.text]


def test_what_no_platform_listens_to_is_not_found() -> None:
    clock = MovableClock(NOW)
    with (
        serving((open_house("channex", seed=5, clock=clock).face,)) as server,
        HttpDoor(Guard(networks=LOOPBACK), clock=clock) as door,
    ):
        for path, status in (("nobody", 404), ("", 404), ("channex", 401), ("channex/nothing?a=b", 401)):
            assert door.send(Call(method="GET", url=server.url(path))).status == status


def test_the_platform_counts_calls_itself_and_says_429_beyond_its_limit() -> None:
    with reached(ScriptedHostility()) as scene:
        entries = scene.entries(frozenset({MatrixField.SELLABLE}))
        kinds = [scene.pushed(Lane.AVAILABILITY, entries).outcome.kind for _ in range(11)]
        assert kinds == [OutcomeKind.DONE] * 10 + [OutcomeKind.BUSY]
        assert scene.platform.calls.exceeded == 1
        prices = scene.entries(frozenset({MatrixField.CLOSED}))
        assert scene.pushed(Lane.PRICING, prices).outcome.kind is OutcomeKind.DONE
        scene.clock.advance(timedelta(seconds=61))
        assert scene.pushed(Lane.AVAILABILITY, entries).outcome.kind is OutcomeKind.DONE
        assert scene.platform.calls.exceeded == 1


def test_a_seed_draws_the_same_house_and_the_same_guests() -> None:
    def guests(seed: int) -> list[tuple[str, object]]:
        clock = MovableClock(NOW)
        house = open_house("channex", seed=seed, clock=clock, hostility=Hostility(100, Draws(seed)))
        platform = house.face.platform
        for room_code in platform.rooms:
            platform.tell(room_code, "", MatrixField.SELLABLE, DateRange.of(NOW.date(), 80), 4)
        found: list[tuple[str, object]] = [("house", (house.listing_id, tuple(platform.rooms.items())))]
        for _ in range(60):
            clock.advance(timedelta(minutes=10))
            made = house.seller.step()
            found.append((type(made).__name__, made))
        return found

    drawn = guests(3)
    assert drawn == guests(3)
    assert drawn[0] != guests(4)[0]
    statuses = {made.status.value for _, made in drawn if isinstance(made, Revision)}
    assert statuses == {"new", "changed", "cancelled"}


def test_at_full_hostility_some_are_sold_more_than_there_is_and_some_cannot_be_read() -> None:
    clock = MovableClock(NOW)
    house = open_house("channex", seed=1, clock=clock)
    seller = Seller(house.face.platform, chance=Draws(1), clock=clock, dial=100)
    made = [seller.step() for _ in range(300)]
    assert any(isinstance(each, Garbled) for each in made)
    assert any(isinstance(each, Revision) for each in made), (
        "nothing was told, so each sale is an oversold one"
    )
    quiet = Seller(house.face.platform, chance=Draws(1), clock=clock)
    assert not [each for each in (quiet.step() for _ in range(40)) if isinstance(each, Garbled)]


def test_guests_come_along_by_themselves_while_it_is_served() -> None:
    clock = ShiftedClock.from_day(MovableClock(NOW), date(2030, 5, 1))
    assert clock.now() == datetime(2030, 5, 1, 9, tzinfo=UTC)
    heard: list[Revision | Garbled] = []
    with simulated(
        ("channex",), seed=2, clock=clock, sales_every=0.005, told=lambda _, made: heard.append(made)
    ) as simulation:
        platform = simulation.houses["channex"].face.platform
        with simulation.server.lock:
            for room_code in platform.rooms:
                platform.tell(room_code, "", MatrixField.SELLABLE, DateRange.of(clock.now().date(), 90), 9)
        for _ in range(400):
            if len(heard) >= 3:
                break
            simulation.sell("channex")
        connection = simulation.as_json()[0]
        assert connection["base_url"] == simulation.server.url("channex")
        assert connection["credentials"] == {"api_key": "simulated-api_key-2"}
        assert connection["rooms"] == {code: [*rates] for code, rates in platform.rooms.items()}
    assert platform.history
    assert platform.history[0].rooms[0].stay.arrival.year == 2030


def test_a_platform_knocks_when_it_has_sold_something_and_the_gateway_hears_it() -> None:
    clock = MovableClock(NOW)
    with (
        receiving() as receiver,
        HttpDoor(Guard(networks=LOOPBACK), clock=clock) as door,
        simulated(
            ("channex",), seed=2, clock=clock, knocks=Knocks(door, {"channex": receiver.url("/hook")})
        ) as simulation,
    ):
        house = simulation.houses["channex"]
        for room_code in house.face.platform.rooms:
            house.face.platform.tell(room_code, "", MatrixField.SELLABLE, DateRange.of(NOW.date(), 90), 9)
        sold = next(made for made in iter(lambda: simulation.sell("channex"), 0) if made is not None)
        spoken = Spoken(
            gateway=ChannexGateway(door, clock), credentials=house.credentials, listing_id=house.listing_id
        )
        (received,) = receiver.received
        knock = Knock(headers=received.headers, body=received.body, received_at=NOW)
        heard = spoken.gateway.read_knock(at_of(spoken, house.face.platform), knock)
    assert isinstance(sold, Revision)
    assert heard.outcome.kind is OutcomeKind.DONE
    assert json.loads(received.body)["payload"]["revision_id"] == sold.revision_id


def test_an_unknown_platform_or_dial_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        open_house("nowhere", seed=1, clock=MovableClock(NOW))
    assert caught.value.field == "platform"
    assert "channex" in platform_names()
    with (
        pytest.raises(InvalidInputError) as caught,
        simulated(("channex",), seed=1, clock=MovableClock(NOW), dial=101),
    ):
        pass
    assert caught.value.field == "dial"


def test_a_port_that_is_taken_is_named() -> None:
    clock = MovableClock(NOW)
    with (
        serving(()) as server,
        pytest.raises(InvalidInputError) as caught,
        simulated(("channex",), seed=1, clock=clock, port=server.port),
    ):
        pass
    assert (caught.value.field, caught.value.reason) == ("port", "taken")


def test_a_push_with_an_unknown_room_is_partly_taken_over_http() -> None:
    with reached(ScriptedHostility()) as scene:
        wider, stranger = scene.with_stranger()
        entries = wider.entries(frozenset({MatrixField.SELLABLE}))
        push = Push(push_id=entries[0].mapping_id, lane=Lane.AVAILABILITY, entries=entries)
        result = wider.gateway.push(wider.at, push)
        assert result.outcome.kind is OutcomeKind.PARTLY
        assert [each.mapping_id for each in result.refused] == [stranger]
