"""Which agency has which modules, on PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString

from pms_adapters.postgres.session import Session
from pms_adapters.postgres.writes import Expectation, WriteSet
from pmscore.kernel.errors import StaleVersionError
from pmscore.modules.model import Feature
from pmscore.modules.ports import FeatureRepository

__all__ = ["PostgresFeatures"]

_ALL: LiteralString = (
    "SELECT module, is_enabled, version, changed_at FROM agency_features WHERE agency_id = %s ORDER BY module"
)
_SAVE: LiteralString = """\
INSERT INTO agency_features AS f (agency_id, module, is_enabled, version, changed_at) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (agency_id, module) DO UPDATE
  SET is_enabled = excluded.is_enabled, version = excluded.version, changed_at = excluded.changed_at
  WHERE f.version = excluded.version - 1
RETURNING 1"""


class PostgresFeatures(FeatureRepository):
    """An agency's decisions; see the port for what each method promises."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes

    def all(self) -> tuple[Feature, ...]:
        rows = self._session.rows(_ALL, self._session.agency_id)
        return tuple(_loaded(*row) for row in rows)  # type: ignore[arg-type]

    def save(self, feature: Feature) -> None:
        values = (
            self._session.agency_id, feature.module, feature.is_enabled, feature.version, feature.changed_at,
        )  # fmt: skip
        stale = StaleVersionError(module=feature.module)
        self._writes.aggregates.append(Expectation((_SAVE, values), 1, stale))


def _loaded(module: str, is_enabled: bool, version: int, changed_at: datetime) -> Feature:  # noqa: FBT001
    return Feature(module=module, is_enabled=is_enabled, version=version, changed_at=changed_at)
