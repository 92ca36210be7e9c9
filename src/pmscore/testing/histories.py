"""Histories as a Hypothesis state machine. Needs ``pip install "pmscore[testing]"``.

Owns the machine, which finds and shrinks a history on which a store differs from the naive model. Thousands
of histories from seeds run faster: :func:`pmscore.testing.runs.run_history`.
"""

from __future__ import annotations

try:
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
except ImportError as error:
    raise ImportError('pmscore.testing.histories needs Hypothesis: pip install "pmscore[testing]"') from error

from pmscore.kernel.ports import IdSource
from pmscore.testing.clocks import SeededIds
from pmscore.testing.draws import Chance
from pmscore.testing.runs import History, history_scene, run_history
from pmscore.testing.subject import StoreUnderTest

__all__ = ["HistoryMachine", "run_history"]


class _Drawn(Chance):
    """Choices that Hypothesis makes, and can shrink; the smallest before it has begun."""

    source: st.DataObject | None = None

    def below(self, limit: int) -> int:
        return 0 if self.source is None else self.source.draw(st.integers(0, limit - 1))


class HistoryMachine(RuleBasedStateMachine):
    """One history a run: say in a subclass which store, and hand its ``TestCase`` to the test runner."""

    def store(self) -> StoreUnderTest:
        """Return the store under test; the same one or a new one each time."""
        raise NotImplementedError

    def ids(self) -> IdSource:
        """Return a source of ids; a store that outlives the run needs one that never repeats itself."""
        return SeededIds("machine")

    @initialize(variant=st.integers(0, 3))
    def open(self, variant: int) -> None:
        """Open a scene."""
        self._chance = _Drawn()
        self._history = History(history_scene(self.store(), self.ids(), variant), self._chance)

    @rule(drawn=st.data())
    def create(self, drawn: st.DataObject) -> None:
        """Make a booking."""
        self._chance.source = drawn
        self._history.create()

    @rule(drawn=st.data())
    def repeat(self, drawn: st.DataObject) -> None:
        """Send a request again."""
        self._chance.source = drawn
        self._history.repeat()

    @rule(drawn=st.data())
    def act(self, drawn: st.DataObject) -> None:
        """Take a booking one step."""
        self._chance.source = drawn
        self._history.act()

    @rule(drawn=st.data())
    def amend(self, drawn: st.DataObject) -> None:
        """Change a room's stay."""
        self._chance.source = drawn
        self._history.amend()

    @rule(drawn=st.data())
    def assign(self, drawn: st.DataObject) -> None:
        """Give a room a unit."""
        self._chance.source = drawn
        self._history.assign()

    @rule(drawn=st.data())
    def hold(self, drawn: st.DataObject) -> None:
        """Hold a room."""
        self._chance.source = drawn
        self._history.hold()

    @rule(drawn=st.data())
    def release(self, drawn: st.DataObject) -> None:
        """Release a hold."""
        self._chance.source = drawn
        self._history.release()

    @rule(drawn=st.data())
    def block(self, drawn: st.DataObject) -> None:
        """Block a unit."""
        self._chance.source = drawn
        self._history.block()

    @rule(drawn=st.data())
    def lift(self, drawn: st.DataObject) -> None:
        """Lift a block."""
        self._chance.source = drawn
        self._history.lift()

    @rule(drawn=st.data())
    def wait(self, drawn: st.DataObject) -> None:
        """Let minutes pass."""
        self._chance.source = drawn
        self._history.wait()

    @rule(drawn=st.data())
    def advance(self, drawn: st.DataObject) -> None:
        """Go to the next business date."""
        self._chance.source = drawn
        self._history.advance()

    @rule(drawn=st.data())
    def set_rooms(self, drawn: st.DataObject) -> None:
        """Change a capacity."""
        self._chance.source = drawn
        self._history.set_rooms()

    def teardown(self) -> None:
        """Compare the event log with what was done."""
        self._history.check_log()
