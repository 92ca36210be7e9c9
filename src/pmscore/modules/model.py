"""A module's description, what became of it at start, and whether an agency has it.

Owns these values. Leaves routes and hooks to the host app, which brings them beside a description. The contexts of
the core are no modules: they are always there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from attrs import Factory, evolve, field, frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Decision, Event
from pmscore.kernel.ids import AgencyId

__all__ = [
    "Feature",
    "FeatureSwitched",
    "Manifest",
    "ModuleState",
    "ModuleStatus",
    "Switches",
]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)*[A-Za-z0-9.+-]{0,40}\Z")
_RESERVED: Final = frozenset({"modules", "core"})


@frozen(kw_only=True)
class Manifest:
    """What a module says of itself.

    ``requires`` are names of other modules. ``is_on_by_default`` holds where no setting says otherwise;
    ``is_for_agencies`` where each agency has it or not, as opposed to the whole deployment; ``is_given`` says that an
    agency has it as long as nobody has switched it.
    """

    name: str = field()
    version: str = field()
    summary: str = ""
    requires: tuple[str, ...] = ()
    is_on_by_default: bool = True
    is_for_agencies: bool = True
    is_given: bool = True

    def __attrs_post_init__(self) -> None:
        if not _NAME.match(self.name) or self.name in _RESERVED:
            raise InvalidInputError("name", "not_a_module_name", value=self.name[:64])
        if not _VERSION.match(self.version):
            raise InvalidInputError("version", "not_a_version", value=self.version[:64])


class ModuleStatus(StrEnum):
    """``off`` by a switch; ``refused`` because of what it says; ``failed`` while it was loaded or started."""

    ON = "on"
    OFF = "off"
    REFUSED = "refused"
    FAILED = "failed"


@frozen(kw_only=True)
class ModuleState:
    """One module after the start; ``why`` is for the operator, empty where it is simply on."""

    name: str
    version: str
    status: ModuleStatus
    why: str = ""

    @property
    def is_on(self) -> bool:
        """Whether it works."""
        return self.status is ModuleStatus.ON


@frozen(kw_only=True)
class Switches:
    """What the settings say: one switch for all modules, and one for each.

    A switch that says neither yes nor no is None: its module stays off until somebody corrects it.
    """

    are_modules_on: bool = True
    by_name: Mapping[str, bool | None] = Factory(dict[str, bool | None])


@frozen(kw_only=True)
class FeatureSwitched(Event):
    """An agency was given a module, or it was taken away."""

    aggregate: ClassVar[str] = "agency"
    kind: str = "agency.feature_switched"
    module: str
    is_enabled: bool


@frozen(kw_only=True)
class Feature:
    """Whether an agency has a module, by somebody's decision; ``version`` 0 where nobody has decided."""

    module: str
    is_enabled: bool
    version: int = 0
    changed_at: datetime | None = None

    def switched(self, agency_id: AgencyId, *, is_enabled: bool, at: datetime) -> Decision[Feature]:
        """Return the feature as wanted; without events where it is so by decision already."""
        if self.version > 0 and self.is_enabled == is_enabled:
            return Decision(self, ())
        after = evolve(self, is_enabled=is_enabled, version=self.version + 1, changed_at=at)
        told = FeatureSwitched(
            aggregate_id=agency_id, version=after.version, module=self.module, is_enabled=is_enabled
        )
        return Decision(after, (told,))
