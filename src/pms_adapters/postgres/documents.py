"""The JSON documents in which many rows travel to the server as one value.

Owns their writing. Ids, dates and instants go in as they are: the encoder writes them faster than Python
could, in forms that PostgreSQL reads back as the same values.
"""

from __future__ import annotations

import orjson

from pmscore.kernel.errors import InvalidInputError

__all__ = ["as_document"]


def as_document(rows: object) -> bytes:
    """Return rows as one JSON document.

    Raises:
        InvalidInputError: a text has a lone surrogate, or a whole number more than 64 bits.
    """
    try:
        return orjson.dumps(rows)
    except orjson.JSONEncodeError as error:
        raise InvalidInputError("value", "not_storable") from error
