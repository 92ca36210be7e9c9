"""How many quotes a second can be explained, each from what it keeps, down to every night, rule and tax.

Owns the two lines. The quotes are those of P11; each of a round is another, so that only what quotes have in common
(the nights of a house) is remembered, as it is for anybody who asks. No garbage is collected meanwhile, as in P11.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence

from pms_adapters.lab.bench.grounds import Grounds
from pms_adapters.lab.bench.measurement import Limit, Measurement, compared
from pms_adapters.lab.bench.quoting import NIGHTS, TARIFF, drawn_stays, of_the_product
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.views.explaining import Explanation, explain
from pmscore.pricing.views.explanation_text import tree_text

__all__ = ["measure_explaining"]

_LEAST_A_SECOND = 3_000.0
_SHARE = 10


def measure_explaining(grounds: Grounds) -> Iterator[Measurement]:
    """Yield explanations a second of the processor, and the same with the text of the tree."""
    count = max(grounds.scale.quotes // _SHARE, 1)
    grounds.progress(f"G-explain: {count} quotes a round")
    made = of_the_product(TARIFF, drawn_stays(count * (grounds.rounds + 1), NIGHTS)).run()
    quotes = [each for each in made if isinstance(each, Quote)]
    turns = [quotes[first : first + count] for first in range(0, len(quotes), count)]
    _check(turns[0])
    for what, write in (("", explain), (" and written as a tree", _written)):
        rates = [_rate(each, write) for each in turns][1:]
        must = None if what else Limit(_LEAST_A_SECOND)
        yield compared("G-explain", f"quotes of {NIGHTS} nights explained{what}, a second", rates, must=must)


def _written(quote: Quote) -> str:
    return tree_text(explain(quote))


def _rate(quotes: Sequence[Quote], write: Callable[[Quote], object]) -> float:
    gc.collect()
    gc.disable()
    try:
        started = time.thread_time()
        for each in quotes:
            write(each)
        return len(quotes) / (time.thread_time() - started)
    finally:
        gc.enable()


def _check(quotes: Sequence[Quote]) -> None:
    """Make sure that what is timed explains all that is due, or the rate would mean nothing."""
    for each in quotes:
        found: Explanation = explain(each)
        if found.root.after != each.totals.due or len(found.rooms[0].children) < NIGHTS:
            raise AssertionError("an explanation leaves something out")
