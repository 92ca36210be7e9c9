"""Where a call may go: the guard against requests that are forged into our own network.

Owns the check of an address that somebody gave us (scheme, port, no user in it) and of the numbers that its name
stands for. A name passes only if every one of its numbers does, and the connection is made to one of those very
numbers: a name that is asked twice may answer twice. Leaves connecting to ``transport``. As a second wall, let the
host's own firewall or an egress proxy say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

import httpx
from attrs import frozen

from pmscore.kernel.errors import InvalidInputError

__all__ = ["Guard", "Target", "read_networks"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

HTTPS_PORT: Final = 443
LONGEST_URL: Final = 2_000

# Written out rather than asked of ``ipaddress``, whose answers change from release to release.
_CLOSED_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, and the metadata services of clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # multicast tunnelling
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_OPEN_V6: Final = IPv6Network("2000::/3")
_CLOSED_V6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments; Teredo inside it is unwrapped
            "2001:db8::/32",  # documentation
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_TEREDO: Final = IPv6Network("2001::/32")
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})


@frozen
class Target:
    """A checked address: where to connect to, before its name is resolved."""

    scheme: str
    host: str
    port: int


@frozen(kw_only=True)
class Guard:
    """What is open. By default public addresses, by https, on port 443.

    ``networks`` are open although they are not public; plain http goes there and, with ``allows_plain_http``,
    anywhere. ``is_off`` lets everything pass: for tests of what the guard is for.
    """

    ports: frozenset[int] = frozenset({HTTPS_PORT})
    networks: tuple[Network, ...] = ()
    allows_plain_http: bool = False
    is_off: bool = False

    def target(self, url: str) -> Target:
        """Return where ``url`` leads.

        Raises:
            InvalidInputError: for ``url``: no address, another scheme or port than are open, a user in it, or a
                host that is written as a closed number.
        """
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError) as error:
            raise InvalidInputError("url", "not_a_url") from error
        if len(url) > LONGEST_URL:
            raise InvalidInputError("url", "too_long", longest=LONGEST_URL)
        if not url.isprintable() or " " in url or "\\" in url:
            raise InvalidInputError("url", "not_a_url")
        if parsed.scheme not in {"https", "http"} or not parsed.host:
            raise InvalidInputError("url", "not_https")
        if parsed.userinfo:
            raise InvalidInputError("url", "holds_a_user")
        port = parsed.port or (HTTPS_PORT if parsed.scheme == "https" else 80)
        target = Target(parsed.scheme, parsed.host, port)
        if not self.is_off:
            self._check(target)
        return target

    def admit(self, addresses: Iterable[str], *, host: str) -> tuple[str, ...]:
        """Return the numbers of ``host`` to connect to.

        Raises:
            InvalidInputError: for ``url``: one of the numbers is closed. Which one is not said: that would tell a
                stranger about our network.
        """
        found = tuple(addresses)
        if not self.is_off:
            for each in found:
                if not self._is_open(_parsed(each)):
                    raise InvalidInputError("url", "closed_address", host=host[:255])
        return found

    def _check(self, target: Target) -> None:
        literal = _find_literal(target.host)
        is_inside = literal is not None and self._is_listed(literal)
        if target.scheme == "http" and not (self.allows_plain_http or is_inside):
            raise InvalidInputError("url", "not_https")
        if target.port not in self.ports and not is_inside and not self._is_plain_default(target):
            raise InvalidInputError("url", "closed_port", allowed=", ".join(map(str, sorted(self.ports))))
        if literal is not None and not self._is_open(literal):
            raise InvalidInputError("url", "closed_address", host=target.host[:255])

    def _is_plain_default(self, target: Target) -> bool:
        return self.allows_plain_http and target.scheme == "http" and target.port == 80

    def _is_listed(self, address: Address) -> bool:
        return any(address in network for network in self.networks if network.version == address.version)

    def _is_open(self, address: Address) -> bool:
        if self._is_listed(address):
            return True
        if isinstance(address, IPv4Address):
            return not any(address in network for network in _CLOSED_V4)
        if address.scope_id is not None:
            return False
        inner = tuple(_unwrapped(address))
        if inner and not all(self._is_open(each) for each in inner):
            return False
        if address in _NAT64 or address in _MAPPED or address in _TEREDO:
            return bool(inner)
        return address in _OPEN_V6 and not any(address in network for network in _CLOSED_V6)


def read_networks(text: str, *, field: str) -> tuple[Network, ...]:
    """Return the networks written in ``text``, such as ``10.1.0.0/16``, divided by commas.

    Raises:
        InvalidInputError: one of them is none.
    """
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise InvalidInputError(field, "not_a_network") from error


def _unwrapped(address: IPv6Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses that an IPv6 address carries inside: whoever connects may end up there."""
    number = int(address)
    if address in _MAPPED or address in _NAT64:
        yield IPv4Address(number & 0xFFFF_FFFF)
    elif address in _SIX_TO_FOUR:
        yield IPv4Address((number >> 80) & 0xFFFF_FFFF)
    elif address in _TEREDO:
        yield IPv4Address((number >> 64) & 0xFFFF_FFFF)
        yield IPv4Address(~number & 0xFFFF_FFFF)
    elif (number >> 32) & 0xFFFF_FFFF in _ISATAP:
        yield IPv4Address(number & 0xFFFF_FFFF)


def _find_literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _parsed(text: str) -> Address:
    try:
        return ip_address(text)
    except ValueError as error:
        raise InvalidInputError("url", "closed_address") from error
