"""Quotes and refusals as a person at a terminal reads them: a tree for each, with the amounts at the end of a line.

Owns the drawing. Leaves the lines to the core, and the sentences to :mod:`pms_web.texts`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from pms_web.texts import violation_text
from pmscore.pricing.model.quote import QuoteRefusal
from pmscore.pricing.views.explaining import Explanation
from pmscore.pricing.views.explanation_text import explained_lines

__all__ = ["quote_tree", "refusal_tree", "show_trees"]

_WIDE = 160


def show_trees(trees: Iterable[Tree]) -> None:
    """Print trees, each apart from the next."""
    console = Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)
    for each in trees:
        console.print(each)
        console.print()


def quote_tree(type_name: str, explanation: Explanation, *, note: str = "") -> Tree:
    """Return the tree of a quote: from what is due, with a note beside it, down to the rule behind each night."""
    (_, title), *lines = explained_lines(explanation)
    beside = (f" ({note.removesuffix('.')})" if note else "", "dim")
    tree = Tree(
        Text.assemble((f"{type_name}, ", "bold"), _styled(title, "bold green"), beside), guide_style="dim"
    )
    parents = [tree]
    for depth, line in lines:
        del parents[depth:]
        parents.append(parents[-1].add(_styled(line, "bold" if depth == 1 else "cyan")))
    return tree


def refusal_tree(type_name: str, refusal: QuoteRefusal) -> Tree:
    """Return why a type and plan do not take a stay, and the nearest stays that they would take."""
    title = Text.assemble((f"{type_name}, plan {refusal.plan}: ", "bold"), ("not offered", "bold red"))
    tree = Tree(title, guide_style="dim")
    for violation in refusal.violations:
        tree.add(Text(violation_text(violation)))
    if refusal.nearest:
        nearest = tree.add(Text("The nearest stays that it takes:"))
        for stay in refusal.nearest:
            nearest.add(Text(f"{stay.arrival} to {stay.departure} ({_counted(stay.length, 'night')})"))
    return tree


def _styled(line: str, style: str) -> Text:
    subject, colon, amounts = line.rpartition(": ")
    return Text.assemble(f"{subject}{colon}", (amounts, style)) if colon else Text(line)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
