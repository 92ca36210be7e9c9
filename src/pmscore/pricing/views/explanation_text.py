"""An explanation as plain text: one line a node, in the words of its codes.

Owns the lines, which every way of showing the tree can use. Leaves translation and layout to ``pms_web``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from pmscore.kernel.currency import Currency
from pmscore.kernel.percent import Percent
from pmscore.pricing.views.explanation_nodes import (
    Amount,
    Explained,
    Explanation,
    Part,
    amount_text,
    is_exact,
)

__all__ = ["explained_lines", "line_of", "tree_text"]

_WORDS: Final = {
    Part.NIGHT: "",
    Part.PLAN_PRICE: "plan",
    Part.DATED_PRICE: "price of",
    Part.SEASON_PRICE: "season",
    Part.PASSED_OVER: "stands back:",
    Part.SAME_GROUP: "same group as",
    Part.EXCLUDED: "excluded by",
    Part.LINE: "",
    Part.TAX_LINE: "on",
    Part.TOTAL: "",
    Part.DEPOSIT: "due",
    Part.STRETCH: "",
    Part.FEE_STEP: "",
    Part.SOURCE: "",
}
_MARGIN: Final = "   "


def tree_text(explanation: Explanation) -> str:
    """Return the whole tree, indented; a night that came about like an earlier one only names it."""
    return "\n".join(_MARGIN * depth + line for depth, line in explained_lines(explanation))


def explained_lines(explanation: Explanation) -> Iterator[tuple[int, str]]:
    """Yield each line of the tree with its depth; a night that came about like an earlier one only names it."""
    currency = explanation.currency
    yield 0, line_of(explanation.root, currency)
    for part in explanation.root.children:
        yield 1, line_of(part, currency)
        seen = _Seen()
        for child in part.children:
            earlier = seen.first_of(child) if child.code is Part.NIGHT else None
            if earlier is not None and earlier != child.on:
                yield 2, f"{line_of(child, currency)} (as {earlier.isoformat()})"
            else:
                yield from _lines(child, currency, 2)


class _Seen:
    """The first night that came about in each way. Most share their steps, and comparing those is dear."""

    def __init__(self) -> None:
        self._by_identity: dict[int, date | None] = {}
        self._by_value: dict[tuple[Explained, ...], date | None] = {}

    def first_of(self, night: Explained) -> date | None:
        """Return the first night with these steps; the explanation outlives this, so an identity is enough."""
        steps = night.children
        known = id(steps)
        if known not in self._by_identity:
            self._by_identity[known] = self._by_value.setdefault(steps, night.on)
        return self._by_identity[known]


def line_of(node: Explained, currency: Currency) -> str:
    """Return what one node says, without its children: ``rule weekly (length of stay, v2) -10 %: 95.00 → 85.50``."""
    subject = " ".join([part for part in (*_subject(node), _applied(node, currency)) if part])
    amounts = _amounts(node, currency)
    return f"{subject}: {amounts}" if subject and amounts else subject or amounts


def _lines(node: Explained, currency: Currency, depth: int) -> Iterator[tuple[int, str]]:
    yield depth, line_of(node, currency)
    for child in node.children:
        yield from _lines(child, currency, depth + 1)


def _subject(node: Explained) -> Iterator[str]:
    yield _WORDS.get(node.code, node.code.value.replace("_", " "))
    if node.code is Part.ROOM:
        yield str(node.room)
    else:
        yield node.name.replace("_", " ") if node.code is Part.TOTAL else node.name
    if node.on is not None:
        yield node.on.isoformat()
    described = _described(node)
    if described:
        yield f"({', '.join(described)})"


def _described(node: Explained) -> list[str]:
    if node.code is Part.ROOM:
        return [node.name]
    kinds = [node.kind.replace("_", " ")] if node.kind else []
    if node.rule is not None:
        kinds += [node.rule.kind] if node.code is Part.SOURCE else []
        kinds.append(f"v{node.rule.version}")
    return kinds if node.room is None else [*kinds, f"room {node.room}"]


def _applied(node: Explained, currency: Currency) -> str:
    """Return quantity, operand and what it was taken of."""
    if isinstance(node.operand, Percent):
        of = "" if node.of is None else f" of {_shown(node.of, currency)}"
        return f"{node.operand}{of}"
    unit = "" if node.operand is None else amount_text(node.operand, currency)
    if node.quantity is None:
        return unit
    return f"{node.quantity} x {unit}" if unit else f"x {node.quantity}"


def _amounts(node: Explained, currency: Currency) -> str:
    if node.after is None:
        return ""
    after = _shown(node.after, currency)
    if node.code is Part.QUOTE:
        return f"{after} {currency.code}"
    rounded = f" ({node.rounding.replace('_', ' ')})" if node.rounding else ""
    return (
        f"{after}{rounded}" if node.before is None else f"{_shown(node.before, currency)} → {after}{rounded}"
    )


def _shown(amount: Amount, currency: Currency) -> str:
    return amount_text(amount, currency) + ("" if is_exact(amount) else "…")
