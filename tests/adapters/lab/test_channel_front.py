"""The front desk of the simulator: it shows what the platforms know, and a guest comes along when somebody asks."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from urllib.error import HTTPError

import pytest

from pms_adapters.lab.channel_sim.opening import Simulation, open_house, simulated
from pms_adapters.system import SystemClock
from pmscore.dates.ranges import DateRange
from pmscore.pricing.views.matrix_rows import MatrixField


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    with simulated(["channex"], seed=3, clock=SystemClock()) as opened:
        yield opened


def ask(simulation: Simulation, method: str, path: str) -> dict:
    host, port = simulation.server.host, simulation.server.port
    asked = urllib.request.Request(f"http://{host}:{port}{path}", method=method)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return json.load(answer)


def open_all(simulation: Simulation) -> None:
    today = SystemClock().now().date()
    platform = simulation.houses["channex"].face.platform
    with simulation.server.lock:
        for code in platform.rooms:
            platform.tell(code, "", MatrixField.SELLABLE, DateRange(today, today + timedelta(days=120)), 2)


def test_it_shows_what_the_platform_was_told_and_has_sold(simulation: Simulation) -> None:
    before = ask(simulation, "GET", "/")["channex"]
    assert {number for row in before["sellable"].values() for number in row.values()} == {None}
    assert ask(simulation, "POST", "/sales/channex") == {"sold": None}
    open_all(simulation)
    sold = None
    for _ in range(50):
        sold = sold or ask(simulation, "POST", "/sales/channex")["sold"]
    after = ask(simulation, "GET", "/")["channex"]
    assert {number for row in after["sellable"].values() for number in row.values()} == {2}
    assert sold["booking_key"] in [each["booking_key"] for each in after["bookings"]]
    assert sold["status"] == "new"
    assert not after["is_all_acknowledged"]
    assert after["cells_told"] == 240


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/"), ("GET", "/sales/channex"), ("POST", "/sales/x"), ("GET", "/channel")]
)
def test_it_has_no_other_addresses(simulation: Simulation, method: str, path: str) -> None:
    with pytest.raises(HTTPError) as refused:
        ask(simulation, method, path)
    with refused.value:
        assert refused.value.code == 404


def test_two_houses_of_a_platform_have_bookings_of_different_names() -> None:
    keys = []
    for seed in (1, 2):
        house = open_house("channex", seed=seed, clock=SystemClock())
        today = SystemClock().now().date()
        keys.append(house.face.platform.oversell(today, today).booking_key)
    assert keys[0] != keys[1]
