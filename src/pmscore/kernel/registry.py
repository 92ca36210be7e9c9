"""Families of interchangeable rules, found by name.

Owns the keyed registry and the discovery of its members in a package; leaves what a member does to the
family's context. A new member is one class with one decorator; nothing else is edited.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from pmscore.kernel.errors import MisuseError

__all__ = ["Registry"]

MemberT = TypeVar("MemberT")


class Registry(Generic[MemberT]):
    """Members of one family by their persisted key, in the order of their keys."""

    def __init__(self, family: str, package: str) -> None:
        self._family = family
        self._package = package
        self._members: dict[str, MemberT] = {}
        self._is_discovered = False

    def register(self, key: str) -> Callable[[MemberT], MemberT]:
        """Return a decorator that adds its target under ``key``.

        Raises:
            MisuseError: the key is taken.
        """

        def add(member: MemberT) -> MemberT:
            if key in self._members:
                raise MisuseError(family=self._family, duplicate_key=key)
            self._members[key] = member
            return member

        return add

    def get(self, key: str) -> MemberT:
        """Return the member called ``key``.

        Raises:
            MisuseError: there is none.
        """
        self._discover()
        if key not in self._members:
            raise MisuseError(family=self._family, unknown_key=key)
        return self._members[key]

    def __iter__(self) -> Iterator[tuple[str, MemberT]]:
        self._discover()
        return iter(sorted(self._members.items(), key=lambda item: item[0]))

    def _discover(self) -> None:
        if self._is_discovered:
            return
        package = importlib.import_module(self._package)
        for found in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{found.name}")
        self._is_discovered = True
