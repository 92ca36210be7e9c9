"""A month of a house and a platform at full hostility, over a wire, for each gateway: the even seeds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.channels.months import live_through, months


@pytest.mark.parametrize(("name", "seed"), months(0))
def test_after_a_hostile_month_both_sides_agree(
    name: str, seed: int, record_property: Callable[[str, object], None]
) -> None:
    record_property("month", repr(live_through(name, seed)))
