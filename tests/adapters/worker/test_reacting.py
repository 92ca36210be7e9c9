from __future__ import annotations

import time

import psycopg
import pytest

from adapters.worker.conftest import effect, reactions
from pms_adapters.postgres.letters import list_letters, send_again
from pms_adapters.postgres.work_due import list_due
from pms_adapters.worker import reacting
from pms_adapters.worker.registry import Reaction, Registered
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.guests.use_cases import AddGuest, add_guest
from pmscore.kernel.errors import MisuseError, NotFoundError

pytestmark = pytest.mark.postgres


class Flaky:
    """A reaction that fails so many times on the events that are picked."""

    def __init__(self, failures, picks=lambda event: True):
        self.failures = failures
        self.picks = picks
        self.calls = 0

    def __call__(self, event, services):
        if self.picks(event):
            self.calls += 1
            if self.calls <= self.failures:
                raise RuntimeError("not today, Ada Moreira")
        effect(event, services)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(reacting, "PAUSES_SECONDS", (0.01, 0.02, 0.04))


def go_on(shop, until):
    deadline = time.monotonic() + 30
    while True:
        shop.relay()
        shop.work_off()
        if until():
            return
        assert time.monotonic() < deadline, "it never came to that"


def test_a_try_that_fails_is_repeated_after_one_two_and_four_seconds(open_shop, caplog):
    shop = open_shop(reactions("flaky", react=Flaky(9)))
    shop.append(1)
    shop.relay()
    for pause in (1, 2, 4):
        caplog.clear()
        shop.work_off()
        assert f"again in {pause} s" in caplog.text
        ((waits,),) = shop.admin(
            "SELECT not_before - clock_timestamp() <= make_interval(secs => %s) AND due_at = not_before FROM inbox"
            " WHERE agency_id = %s",
            pause,
            shop.agency_id,
        )
        assert waits
        shop.admin("UPDATE inbox SET not_before = now(), due_at = now() WHERE agency_id = %s", shop.agency_id)
        shop.admin("UPDATE work_due SET due_at = now() WHERE agency_id = %s", shop.agency_id)
        shop.relay()
    caplog.clear()
    shop.work_off()
    assert "given up" in caplog.text
    assert "Ada" not in str(list_letters(shop.admin_url, agency_id=shop.agency_id))


def test_after_the_last_try_it_is_a_dead_letter_and_those_behind_it_go_on(open_shop, quick):
    broken = Flaky(99, picks=lambda event: event.version == 2)
    both = reactions("broken", react=broken).reactions | reactions("sound").reactions
    shop = open_shop(Registered(both))
    shop.append(3)
    go_on(shop, lambda: shop.waiting() == 0)
    assert broken.calls == 4
    assert [version for _, version in shop.effects("broken")] == [1, 3]
    assert [version for _, version in shop.effects("sound")] == [1, 2, 3]
    (letter,) = list_letters(shop.admin_url, agency_id=shop.agency_id)
    assert (letter.reaction, letter.kind, letter.attempts) == ("broken", "note.noted", 4)
    assert letter.error == "RuntimeError"

    broken.failures = 0
    send_again(shop.runtime.services.engine, shop.agency_id, letter.letter_id)
    go_on(shop, lambda: shop.waiting() == 0)
    assert [version for _, version in shop.effects("broken")] == [1, 3, 2]
    assert list_letters(shop.admin_url, agency_id=shop.agency_id) == ()
    with pytest.raises(NotFoundError):
        send_again(shop.runtime.services.engine, shop.agency_id, letter.letter_id)


def test_those_behind_a_try_that_is_to_be_repeated_wait_for_it(open_shop):
    shop = open_shop(reactions("flaky", react=Flaky(1)))
    shop.append(3)
    shop.relay()
    shop.work_off()
    assert shop.effects() == []
    shop.admin("UPDATE inbox SET not_before = now() WHERE agency_id = %s", shop.agency_id)
    go_on(shop, lambda: shop.waiting() == 0)
    assert [version for _, version in shop.effects()] == [1, 2, 3]


def test_more_events_of_one_aggregate_than_are_read_ahead_are_taken_in_in_their_order(open_shop):
    shop = open_shop(reactions("first", "second"))
    count = 2 * reacting.MOST_AT_ONCE + 1
    shop.append(count)
    shop.relay()
    shop.work_off()
    assert [version for _, version in shop.effects("first")] == [*range(1, count + 1)]
    assert [version for _, version in shop.effects("second")] == [*range(1, count + 1)]


def test_what_a_reaction_leaves_no_trace_of_is_taken_in_once_and_what_fails_is_left_out(open_shop):
    seen = []

    def look(event, services):
        seen.append(event.version)
        if event.version == 3:
            raise RuntimeError("not today")

    shop = open_shop(reactions("look", react=look))
    shop.append(4)
    for _ in range(2):
        shop.relay()
        shop.work_off()
    assert seen == [1, 2, 3]
    states = shop.admin(
        "SELECT e.version, i.state, i.attempts FROM inbox i JOIN events e USING (agency_id, event_id)"
        " WHERE i.agency_id = %s ORDER BY e.version",
        shop.agency_id,
    )
    assert states == [(1, "done", 0), (2, "done", 0), (3, "waiting", 1), (4, "waiting", 0)]


class TestUseCase:
    """A reaction that calls a use case through the unit of work that it is given."""

    @pytest.fixture
    def greeting(self, open_shop):
        def greet(event, services):
            if event.version in shop.overtaken:
                shop.admin(
                    "UPDATE inbox SET state = 'done', done_at = now() WHERE event_id = %s", event.event_id
                )
            guest = AddGuest(
                request_id=event.request_id,
                agency_id=services.agency_id,
                actor_id=event.actor_id,
                name=f"Guest {event.version}",
            )
            add_guest(guest, uow=services.uow, ids=services.ids)

        shop = open_shop(reactions("greet", react=greet))
        made = OpenAgency(**command_fields(shop), name="A", slug=f"a-{shop.agency_id.hex}")
        open_agency(made, uow=shop.runtime.services.uow)
        return shop

    def test_its_writes_and_the_inbox_row_are_committed_together(self, greeting):
        greeting.append(3)
        go_on(greeting, lambda: greeting.waiting() == 0)
        assert names(greeting) == ["Guest 1", "Guest 2", "Guest 3"]

    def test_where_another_worker_was_faster_nothing_is_written(self, greeting):
        greeting.overtaken.add(2)
        greeting.append(3)
        go_on(greeting, lambda: greeting.waiting() == 0)
        assert names(greeting) == ["Guest 1", "Guest 3"]


def names(shop):
    rows = shop.admin("SELECT name FROM guests WHERE agency_id = %s ORDER BY name", shop.agency_id)
    return [name for (name,) in rows]


def test_a_second_transaction_of_a_reaction_is_refused(open_shop):
    errors = []

    def greedy(event, services):
        effect(event, services)
        try:
            effect(event, services)
        except MisuseError as error:
            errors.append(error.params["reason"])

    shop = open_shop(reactions("greedy", react=greedy))
    shop.append(1)
    go_on(shop, lambda: shop.waiting() == 0)
    assert errors == ["has_written"]
    assert len(shop.effects()) == 1


def test_a_reaction_that_calls_out_writes_nothing_and_is_called_by_one_worker(open_shop):
    seen = []

    def call(event, services):
        seen.append(event.version)
        with pytest.raises(MisuseError):
            effect(event, services)
        # A second worker meets the claim.
        shop.runtime.reactor.take_in(shop.agency_id, [event.event_id])

    shop = open_shop(Registered({"call": Reaction(name="call", kinds=("*",), react=call, calls_out=True)}))
    shop.append(2)
    go_on(shop, lambda: shop.waiting() == 0)
    assert seen == [1, 2]
    assert shop.effects() == []


def test_kinds_may_be_patterns():
    hears = Reaction(name="x", kinds=("booking.*", "quote.kept"), react=print).hears
    assert hears("booking.created")
    assert hears("quote.kept")
    assert not hears("quote.booked")
    assert not hears("bookings.created")
    assert Reaction(name="y", kinds=("*",), react=print).hears("anything")


def test_the_role_that_looks_for_work_sees_no_table_of_an_agency(shop):
    shop.append(1)
    assert shop.agency_id in {due.agency_id for due in list_due(shop.runtime.services.engine)}
    for table in ("events", "bookings", "guests", "agencies", "inbox"):
        with psycopg.connect(shop.settings.database_url) as connection:
            connection.execute("SET ROLE pms_relay")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT 1 FROM {table}")


def command_fields(shop):
    command = shop.command()
    return {
        "request_id": command.request_id,
        "agency_id": command.agency_id,
        "actor_id": command.actor_id,
    }
