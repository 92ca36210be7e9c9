"""The room types and rate plans of a hotel at Expedia, for people who map them.

Owns asking for them and reading them. Only what is active is listed, and only plans that can be told a rate:
those that follow another plan follow it by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pms_adapters.channels.expedia.mapping import Service
from pms_adapters.channels.expedia.rooms import attribute
from pms_adapters.channels.expedia.wire import request
from pms_adapters.serialization.xml import Node, element
from pmscore.channels.model.calls import At, RemoteRate, RemoteRoom
from pmscore.kernel.errors import InvalidInputError

__all__ = ["products_body", "read_products"]

_ACTIVE: Final = "Active"
_FOLLOWING: Final = frozenset({"Derived", "Linked"})


def products_body(at: At) -> bytes:
    """Return the request for all that is sold.

    Raises:
        InvalidInputError: ``credentials``: one of them is missing.
    """
    return request(at, Service.PRODUCTS, element("ParamSet", element("ProductRetrieval")))


def read_products(answer: Node) -> tuple[RemoteRoom, ...]:
    """Return the rooms with the rates that each can be told.

    Raises:
        InvalidInputError: it is no list of products.
    """
    products = answer.child("ProductList")
    if answer.name != f"{Service.PRODUCTS.subject}RS" or products is None:
        raise InvalidInputError("answer", "not_products")
    return tuple(_room(each) for each in products.children("RoomType") if _is_active(each))


def _room(said: Node) -> RemoteRoom:
    code = attribute(said, "id")
    return RemoteRoom(code, _name(said), tuple(_rates(said, code)))


def _rates(room: Node, room_code: str) -> Iterator[RemoteRate]:
    for each in room.children("RatePlan"):
        if _is_active(each) and each.attr.get("rateAcquisitionType", "").strip() not in _FOLLOWING:
            yield RemoteRate(room_code, attribute(each, "id"), _name(each))


def _is_active(said: Node) -> bool:
    return said.attr.get("status", _ACTIVE).strip() == _ACTIVE


def _name(said: Node) -> str:
    return said.attr.get("name", "").strip() or attribute(said, "id")
