"""What a server of AlpineBits can be asked for: the action of the form, the document that answers it, our version.

Owns the names of version 2020-10, which the handshake offers as well.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["NAMESPACE", "OFFERED", "VERSION", "Action"]

VERSION: Final = "2020-10"
NAMESPACE: Final = "http://www.opentravel.org/OTA/2003/05"


class Action(Enum):
    """An action by its name in the form, with the name of the document that answers it."""

    PING = ("OTA_Ping:Handshaking", "OTA_PingRS")
    FREE_ROOMS = ("OTA_HotelInvCountNotif:FreeRooms", "OTA_HotelInvCountNotifRS")
    READ = ("OTA_Read:GuestRequests", "OTA_ResRetrieveRS")
    REPORT = ("OTA_NotifReport:GuestRequests", "OTA_NotifReportRS")

    @property
    def name_in_form(self) -> str:
        """What the form calls it."""
        return self.value[0]

    @property
    def answered_by(self) -> str:
        """The root of the document that answers it."""
        return self.value[1]


OFFERED: Final = {
    "action_OTA_Ping": (),
    "action_OTA_HotelInvCountNotif": (
        "OTA_HotelInvCountNotif_accept_categories",
        "OTA_HotelInvCountNotif_accept_deltas",
    ),
    "action_OTA_Read": (),
}
"""What we say that we can, by the names of the handshake; a server without one of these is of no use to us."""
