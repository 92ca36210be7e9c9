"""The ids that examples of the API name.

They belong to nobody: whoever tries an example puts an id of their own in its place, as the tests do. An id in an
address is shown as the one that has its name here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = [
    "AGENCY",
    "ALLOTMENT",
    "BATCH",
    "BLOCK",
    "BOOKING",
    "CONNECTION",
    "DELIVERY",
    "EXAMPLE_IDS",
    "GUEST",
    "HOLD",
    "ISSUE",
    "KEY",
    "PROPERTY",
    "QUOTE",
    "UNIT",
    "UNIT_TYPE",
    "USER",
    "WEBHOOK",
]

PROPERTY: Final = "0190163d-0001-7000-8000-000000000001"
UNIT_TYPE: Final = "0190163d-0002-7000-8000-000000000002"
UNIT: Final = "0190163d-0003-7000-8000-000000000003"
BOOKING: Final = "0190163d-0004-7000-8000-000000000004"
QUOTE: Final = "0190163d-0005-7000-8000-000000000005"
WEBHOOK: Final = "0190163d-0006-7000-8000-000000000006"
DELIVERY: Final = "0190163d-0007-7000-8000-000000000007"
GUEST: Final = "0190163d-0008-7000-8000-000000000008"
BLOCK: Final = "0190163d-0009-7000-8000-000000000009"
HOLD: Final = "0190163d-000a-7000-8000-00000000000a"
USER: Final = "0190163d-00aa-7000-8000-0000000000aa"
KEY: Final = "0190163d-00ab-7000-8000-0000000000ab"
CONNECTION: Final = "0190163d-00c1-7000-8000-0000000000c1"
BATCH: Final = "0190163d-00c2-7000-8000-0000000000c2"
ALLOTMENT: Final = "0190163d-00c4-7000-8000-0000000000c4"
ISSUE: Final = "0190163d-00c3-7000-8000-0000000000c3"
AGENCY: Final = "0190163d-00ac-7000-8000-0000000000ac"

EXAMPLE_IDS: Final[Mapping[str, str]] = {
    "property_id": PROPERTY,
    "user_id": USER,
    "key_id": KEY,
    "unit_type_id": UNIT_TYPE,
    "unit_id": UNIT,
    "booking_id": BOOKING,
    "quote_id": QUOTE,
    "webhook_id": WEBHOOK,
    "delivery_id": DELIVERY,
    "guest_id": GUEST,
    "block_id": BLOCK,
    "hold_id": HOLD,
    "connection_id": CONNECTION,
    "batch_id": BATCH,
    "issue_id": ISSUE,
    "allotment_id": ALLOTMENT,
}
"""By the name of a part of an address."""
