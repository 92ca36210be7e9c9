"""What ought to come out of a case, and where an answer differs from it.

Owns the comparison of two documents. Leaves how an answer is worked out to ``use_cases.cases``. Only what a
case names is compared, the order of quotes, refusals, lines and taxes is not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.reading import ObjectReader
from pmscore.pricing.model.written.parts import date_range

__all__ = ["Difference", "differences"]

_ANSWERS: Final = ("quotes", "refusals")
_QUOTE: Final = ("nightly", "lines", "taxes", "totals", "deposit", "cancellation")
_REFUSAL: Final = ("refused", "nearest")
_UNORDERED: Final = frozenset({"lines", "taxes", "refused"})


@frozen
class Difference:
    """A place of the answer, what ought to stand there, and what does; None for nothing."""

    path: str
    expected: Json
    found: Json

    def to_json(self) -> dict[str, Json]:
        """Return the difference as a document."""
        return {"path": self.path, "expected": self.expected, "found": self.found}


def differences(document: Json, answer: Mapping[str, Json]) -> tuple[Difference, ...]:
    """Return where an answer is not what the case expects; none if it is, or if the case expects nothing.

    Raises:
        InvalidInputError: what is expected is not written as it must be; names the place.
    """
    expected = ObjectReader.of(document).find_inside("expect")
    if expected is None:
        return ()
    expected.hold_to(optional=("error", *_ANSWERS))
    if expected.has("error") or "error" in answer:
        return tuple(_compared("error", expected.values.get("error"), answer.get("error")))
    found = {
        (name, each.text("unit_type"), each.text("plan")): each.values
        for name in _ANSWERS
        for each in ObjectReader.of(dict(answer)).find_each(name)
    }
    different: list[Difference] = []
    for name, parts in zip(_ANSWERS, (_QUOTE, _REFUSAL), strict=True):
        for each in expected.find_each(name):
            each.hold_to("unit_type", "plan", optional=parts)
            key = name, each.text("unit_type"), each.text("plan")
            path = ".".join(key)
            if key not in found:
                different.append(Difference(path, "some", None))
                continue
            answered = found.pop(key)
            for part in parts:
                if part in each.values:
                    wanted = _spread(each, part) if part in _UNORDERED else each.values[part]
                    different += _compared(f"{path}.{part}", wanted, answered.get(part))
    different += [Difference(".".join(key), None, "some") for key in found]
    return tuple(different)


def _spread(reader: ObjectReader, part: str) -> Json:
    """Return the objects of a list, those for a range of nights once for each of its nights."""
    spread: list[Json] = []
    for each in reader.each(part):
        if "nights" not in each.values:
            spread.append(dict(each.values))
            continue
        if "night" in each.values:
            raise InvalidInputError(each.at("nights"), "night_or_nights")
        nights: DateRange = date_range(each.inside("nights"))
        rest = {name: value for name, value in each.values.items() if name != "nights"}
        spread += [{**rest, "night": night.isoformat()} for night in nights.nights()]
    return spread


def _compared(path: str, expected: Json, found: Json) -> list[Difference]:
    if isinstance(expected, dict) and isinstance(found, dict):
        different: list[Difference] = []
        for name in sorted({*expected, *found}):
            different += _compared(f"{path}.{name}", expected.get(name), found.get(name))
        return different
    if isinstance(expected, list) and isinstance(found, list):
        if path.rpartition(".")[2] in _UNORDERED:
            return _unordered(path, expected, found)
        if len(expected) == len(found):
            return [
                each
                for at, (one, two) in enumerate(zip(expected, found, strict=True))
                for each in _compared(f"{path}.{at}", one, two)
            ]
    same = expected == found and type(expected) is type(found)
    return [] if same else [Difference(path, expected, found)]


def _unordered(path: str, expected: Sequence[Json], found: Sequence[Json]) -> list[Difference]:
    left = sorted(found, key=_text)
    missing: list[Json] = []
    for each in sorted(expected, key=_text):
        if each in left:
            left.remove(each)
        else:
            missing.append(each)
    different = [Difference(path, one, two) for one, two in zip(missing, left, strict=False)]
    different += [Difference(path, each, None) for each in missing[len(left) :]]
    return different + [Difference(path, None, each) for each in left[len(missing) :]]


def _text(value: Json) -> str:
    """Return what sorts lines so that those that mean the same stand side by side."""
    named = value if isinstance(value, dict) else {}
    shown = [named.get(name) for name in ("tax", "code", "on", "on_tax", "night", "room")]
    return json.dumps([shown, value], sort_keys=True)
