"""That a reach names properties of its own agency and no others.

Owns that rule alone. Which reach goes with which role stands in ``model.users``, and what somebody with a reach may
see in the stores.
"""

from __future__ import annotations

from pmscore.access.ports import OwnProperties
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import PropertyId

__all__ = ["refuse_unknown"]


def refuse_unknown(reach: frozenset[PropertyId] | None, own: OwnProperties) -> None:
    """Refuse a reach with a property that the agency does not have; one of another agency is none, too.

    Raises:
        InvalidInputError: field ``property_ids``, reason ``unknown_property``, with the first such id.
    """
    if not reach:
        return
    unknown = reach - own.known(reach)
    if unknown:
        raise InvalidInputError("property_ids", "unknown_property", property_id=str(min(unknown)))
