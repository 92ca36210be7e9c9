"""What a server says in the handshake, and what it lacks of what we need.

Owns reading the intersection of what both can, which comes as JSON in a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pms_adapters.channels.alpinebits.actions import OFFERED, VERSION
from pms_adapters.serialization.json import parse
from pms_adapters.serialization.unreadable import UnreadableError
from pms_adapters.serialization.xml import Node
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.reading import ObjectReader

__all__ = ["lacking"]

_STATUS: Final = "ALPINEBITS_HANDSHAKE"


def lacking(root: Node) -> tuple[str, ...]:
    """Return what the server cannot of what we need: our version, an action, or something that an action supports."""
    told = [each.text for each in root.walk("Warning") if each.attr.get("Status") == _STATUS]
    if not told:
        return (f"version {VERSION}",)
    try:
        common = _actions(ObjectReader.of(parse(told[0].encode())))
    except (UnreadableError, InvalidInputError):
        return ("a handshake that can be read",)
    if common is None:
        return (f"version {VERSION}",)
    found = [name for name in OFFERED if name not in common]
    found += [
        each
        for name, supports in OFFERED.items()
        for each in supports
        if name in common and each not in common[name]
    ]
    return tuple(found)


def _actions(said: ObjectReader) -> Mapping[str, tuple[str, ...]] | None:
    """Return the actions of our version with what each supports; None where our version is not named."""
    for version in said.each("versions"):
        if version.text("version") != VERSION:
            continue
        return {
            each.text("action"): tuple(str(name) for name in _list(each, "supports"))
            for each in version.find_each("actions")
        }
    return None


def _list(said: ObjectReader, name: str) -> list[object]:
    found = said.values.get(name)
    return [*found] if isinstance(found, list) else []
