"""How a view is put on an address, and what every JSON view shares.

Owns the reading of query parameters and the writing of JSON. Views are plain functions of the services; a
blueprint binds them, so a reader can follow a call with "go to definition".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from flask import Blueprint, Response, g, request

from pms_web.fields import FieldError, Fields
from pms_web.services import WebServices
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import RequestId

__all__ = ["answer", "asked", "query_fields", "route"]


_NUMBER = re.compile(r"-?[0-9]{1,18}\Z")


def route(
    blueprint: Blueprint,
    method: str,
    address: str,
    view: Callable[..., Response],
    services: WebServices,
) -> None:
    """Put ``view``, which takes the services and the parts of the address, on ``address``."""
    blueprint.add_url_rule(address, view.__name__, partial(view, services), methods=[method])


def answer(body: Mapping[str, Json], status: int = 200) -> Response:
    """Return a JSON response."""
    text = json.dumps(body, separators=(",", ":"))
    return Response(text, status=status, content_type="application/json")


def asked(services: WebServices) -> Command:
    """Return what every command says of the present request: which it is, for which agency, by whom."""
    return Command(
        request_id=RequestId(g.request_id), agency_id=services.agency_id, actor_id=services.actor_id
    )


def query_fields(
    errors: list[FieldError], *, lists: Iterable[str] = (), numbers: Iterable[str] = ()
) -> Fields:
    """Return the query for reading; ``lists`` may be repeated, ``numbers`` become numbers."""
    members: dict[str, Json] = {}
    for name, values in request.args.lists():
        if name in lists:
            members[name] = [part for value in values for part in value.split(",") if part]
            continue
        if len(values) > 1:
            errors.append(FieldError(name[:64].encode("ascii", "backslashreplace").decode(), "repeated"))
        text = values[0]
        members[name] = int(text) if name in numbers and _NUMBER.match(text) else text
    return Fields(members, errors)
