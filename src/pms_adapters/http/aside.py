"""Messages that make no sense, as they are kept for people to look at: without anything about cards.

Owns what is left out and how much is kept. Leaves which message makes no sense, and the id it is known by, to each
gateway.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from hashlib import sha256
from typing import Final

from pms_adapters.serialization.xml import Element, Node
from pmscore.channels.model.revisions import Malformed
from pmscore.channels.policies.cards import without_cards

__all__ = ["plain", "set_aside"]

_LONGEST_RAW: Final = 20_000
_LONGEST_REASON: Final = 200
_LONGEST_ID: Final = 200
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9_.-]")


def set_aside(body: bytes, reason: str, *, revision_id: str) -> Malformed:
    """Return a message as it is kept, known by what it says without its cards; an id that is too long is none."""
    raw = without_cards(body.decode())
    return Malformed(
        digest=sha256(raw.encode()).hexdigest(),
        reason=reason[:_LONGEST_REASON],
        raw=raw[:_LONGEST_RAW],
        revision_id=revision_id if len(revision_id) <= _LONGEST_ID else "",
    )


def plain(
    node: Node,
    *,
    elements_out: AbstractSet[str] = frozenset(),
    attributes_out: AbstractSet[str] = frozenset(),
) -> Element:
    """Return an element that can be written again, without what is named (in small letters) to be left out.

    The order of attributes does not count; a letter that no name of ours has is an underscore.
    """
    inside = (each for each in node.elements if each.name.lower() not in elements_out)
    return Element(
        _plain_name(node.name),
        {
            _plain_name(name): value
            for name, value in sorted(node.attr.items())
            if name.lower() not in attributes_out
        },
        node.text,
        tuple(plain(each, elements_out=elements_out, attributes_out=attributes_out) for each in inside),
    )


def _plain_name(name: str) -> str:
    known = _NOT_IN_A_NAME.sub("_", name)
    return known if known[:1].isalpha() or known[:1] == "_" else f"_{known}"
