"""Reading one setting at a time from a mapping of texts such as ``os.environ``, and checking its shape.

Owns what a switch, a number, a list or an address looks like, and remembers what was asked for. Leaves which settings
there are to ``settings``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from attrs import field, frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.secrets import Secret

__all__ = ["Reader"]

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_Choice = TypeVar("_Choice", bound=StrEnum)
_MODULE_SWITCH = re.compile(r"([A-Z][A-Z0-9_]{0,39})_ENABLED")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


@frozen
class Reader:
    """One typed look at a setting; blank counts as absent, since that is how a shell unsets.

    ``asked`` collects the names that were looked for, and whether they were there. Each look raises
    ``InvalidInputError`` where the text cannot be what it is read as.
    """

    mapping: Mapping[str, str] = field(repr=False)
    asked: dict[str, bool] = field(factory=dict, init=False)

    def _find(self, name: str) -> str | None:
        text = self.mapping.get(name, "").strip()
        self.asked[name] = bool(text)
        if any(ord(character) < 32 or 0xD800 <= ord(character) <= 0xDFFF for character in text):
            raise InvalidInputError(name, "unprintable")
        return text or None

    def switch(self, name: str, *, default: bool) -> bool:
        """Return whether it is on."""
        text = self._find(name)
        if text is None:
            return default
        if text.lower() in _TRUE:
            return True
        if text.lower() in _FALSE:
            return False
        raise InvalidInputError(name, "not_a_switch", allowed="true, false")

    def find_number(self, name: str, *, least: int, most: int) -> int | None:
        """Return a whole number, or None."""
        text = self._find(name)
        if text is None:
            return None
        # A bare int() would take "1_0", " 5 " and digits of other scripts.
        if not re.fullmatch(r"-?[0-9]{1,12}", text):
            raise InvalidInputError(name, "not_a_number")
        if not least <= int(text) <= most:
            raise InvalidInputError(name, "out_of_range", least=least, most=most)
        return int(text)

    def number(self, name: str, usual: int, *, least: int, most: int) -> int:
        """Return a whole number."""
        found = self.find_number(name, least=least, most=most)
        return usual if found is None else found

    def one_of(self, name: str, kind: type[_Choice], usual: _Choice) -> _Choice:
        """Return one of a few words."""
        return self.find_one_of(name, kind) or usual

    def find_one_of(self, name: str, kind: type[_Choice]) -> _Choice | None:
        """Return one of a few words, or None."""
        text = self._find(name)
        if text is None:
            return None
        for choice in kind:
            if choice.value.lower() == text.lower():
                return choice
        raise InvalidInputError(name, "unknown_value", allowed=", ".join(choice.value for choice in kind))

    def place(self, name: str) -> tuple[str | None, int | None]:
        """Return what ``<name>_HOST`` and ``<name>_PORT`` say."""
        return self._find(f"{name}_HOST"), self.find_number(f"{name}_PORT", least=1, most=65_535)

    def folder(self, name: str) -> Path | None:
        """Return an absolute path, or None."""
        text = self._find(name)
        if text is None:
            return None
        try:
            path = Path(text).expanduser()
        except RuntimeError as error:
            raise InvalidInputError(name, "unknown_home") from error
        if not path.is_absolute():
            raise InvalidInputError(name, "not_absolute")
        return path

    def listed(self, name: str) -> list[str]:
        """Return what stands between commas."""
        return [each.strip() for each in (self._find(name) or "").split(",") if each.strip()]

    def hosts(self, name: str) -> list[str]:
        """Return names of hosts."""
        found = [each.lower().rstrip(".") for each in self.listed(name)]
        for each in found:
            if not _HOST.fullmatch(each):
                raise InvalidInputError(name, "not_a_host_name", value=each[:64])
        return found

    def origins(self, name: str) -> list[str]:
        """Return origins of pages: scheme, name, port."""
        found = [each.lower().rstrip("/") for each in self.listed(name)]
        for each in found:
            scheme, _, rest = each.partition("://")
            host, _, port = rest.partition(":")
            if (
                scheme not in {"http", "https"}
                or not _HOST.fullmatch(host)
                or not re.fullmatch(r"\d{0,5}", port)
            ):
                raise InvalidInputError(name, "not_an_origin", value=each[:64])
        return found

    def text(self, name: str, usual: str) -> str:
        """Return a text."""
        return self._find(name) or usual

    def find_secret(self, name: str) -> Secret | None:
        """Return a secret, or None."""
        text = self._find(name)
        return None if text is None else Secret(text)

    def ports(self, name: str) -> list[int]:
        """Return numbers of ports."""
        found = self.listed(name)
        for each in found:
            if not re.fullmatch(r"[0-9]{1,5}", each) or not 1 <= int(each) <= 65_535:
                raise InvalidInputError(name, "not_a_port", value=each[:64])
        return [int(each) for each in found]

    def module_switches(self) -> Iterator[tuple[str, bool | None]]:
        """Yield what ``<NAME>_ENABLED`` says of each module; None where it is neither yes nor no.

        Names of other programs end so, too: whether there is such a module is known only later.
        """
        for name, text in self.mapping.items():
            found = _MODULE_SWITCH.fullmatch(name)
            if found is not None and name != "MODULES_ENABLED" and text.strip():
                word = text.strip().lower()
                yield found[1].lower(), True if word in _TRUE else False if word in _FALSE else None

    def networks(self, name: str) -> list[IPv4Network | IPv6Network]:
        """Return networks."""
        try:
            return [ip_network(each) for each in self.listed(name)]
        except ValueError as error:
            raise InvalidInputError(name, "not_a_network") from error

    def url(self, name: str, schemes: frozenset[str]) -> str | None:
        """Return an address of one of ``schemes``, or None."""
        text = self._find(name)
        if text is None:
            return None
        try:
            parts = urlsplit(text)
            _ = parts.port
        except ValueError as error:
            raise InvalidInputError(name, "not_a_url") from error
        if parts.scheme not in schemes:
            raise InvalidInputError(name, "unknown_scheme", allowed=", ".join(sorted(schemes)))
        return text
