"""What every message of Expedia QuickConnect has around it: namespaces, success, warnings, errors.

Owns writing answers. The answers about nights and about confirmations have older namespaces than their
requests, as the published examples have.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from pms_adapters.http.door import Answer
from pms_adapters.lab.channel_sim.face import answer_of
from pms_adapters.serialization.xml import Element, element, written

__all__ = ["ANSWERS", "REQUESTS", "SUBJECTS", "Refusal", "RefusedError", "answered", "errors", "success"]

_BASE: Final = "http://www.expediaconnect.com/EQC"

SUBJECTS: Final = {
    "/ar": "AvailRateUpdate",
    "/br": "BookingRetrieval",
    "/bc": "BookingConfirm",
    "/parr": "ProductAvailRateRetrieval",
}
REQUESTS: Final = {
    "/ar": f"{_BASE}/AR/2011/06",
    "/br": f"{_BASE}/BR/2014/01",
    "/bc": f"{_BASE}/BC/2007/09",
    "/parr": f"{_BASE}/PAR/2013/07",
}
ANSWERS: Final = {
    "/ar": f"{_BASE}/AR/2007/02",
    "/br": f"{_BASE}/BR/2014/01",
    "/bc": f"{_BASE}/BC/2007/08",
    "/parr": f"{_BASE}/PAR/2013/07",
}


@frozen
class Refusal:
    """An error, or a warning, by its number."""

    code: int
    text: str


class RefusedError(Exception):
    """A message is refused whole."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.refusal = Refusal(code, text)


def answered(path: str, *said: Element) -> Answer:
    """Return an answer of the service at ``path``; errors of content have status 200 there."""
    root = element(f"{SUBJECTS[path]}RS", *said)
    return answer_of(200, written(root, namespace=ANSWERS[path]), content_type="text/xml")


def errors(path: str, found: Iterable[Refusal]) -> Answer:
    """Return an answer of errors."""
    return answered(path, *(element("Error", text=each.text, code=str(each.code)) for each in found))


def success(path: str, *warned: Element) -> Answer:
    """Return an answer of success, with warnings in it."""
    return answered(path, element("Success", *warned))
