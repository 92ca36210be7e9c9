"""The messages for Google as files, for whoever has no partner's account: to look at, or to hand to a partner.

Owns which files there are, numbered in the order in which they are to be sent: rooms and packages, counts, rates, and
what is open last. The text is that of the messages that are sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from attrs import field, frozen

from pms_adapters.channels.google.manifest import MANIFEST
from pms_adapters.channels.google.mapping import MessageKind
from pms_adapters.channels.google.property_data import property_data
from pms_adapters.channels.google.wire import message, partner_name
from pmscore.channels.model.ari import AriRows
from pmscore.channels.model.calls import At
from pmscore.channels.model.manifest import Lane
from pmscore.channels.policies.diffing import runs
from pmscore.channels.policies.packing import entries, pushes
from pmscore.inventory.model.house import House
from pmscore.pricing.model.book import PriceBook

__all__ = ["ExportedFile", "exported"]

_NOBODY: Final = "partner_key"


@frozen
class ExportedFile:
    """One message with the name of its file."""

    name: str
    body: bytes = field(repr=False)


def exported(
    at: At, house: House, book: PriceBook | None, rows: Mapping[Lane, AriRows], *, language: str = "en"
) -> tuple[ExportedFile, ...]:
    """Return everything that Google has to know, for a hotel that it knows nothing of.

    ``rows`` are what it should have on each lane; what may be anything is left out.
    """
    partner = partner_name(at) or _NOBODY
    token = f"export-{at.now:%Y%m%d%H%M%S}"
    rooms = property_data(at, house, book, token=f"{token}-1", partner=partner, language=language)
    found = [ExportedFile(f"001-{MessageKind.ROOMS.value}.xml", rooms)]
    for number, (kind, body) in enumerate(_told(at, rows, token, partner), 2):
        found.append(ExportedFile(f"{number:03}-{kind.value}.xml", body))
    return tuple(found)


def _told(
    at: At, rows: Mapping[Lane, AriRows], token: str, partner: str
) -> Iterator[tuple[MessageKind, bytes]]:
    number = 1
    for lane, messages in MANIFEST.messages.items():
        desired = rows[lane]
        all_runs = runs(AriRows(desired.nights, {}), desired)
        for fields in messages:
            for push in pushes(entries(all_runs, desired, MANIFEST, fields), MANIFEST):
                number += 1
                told = message(at, push, token=f"{token}-{number}", partner=partner)
                yield told.kind, told.body
