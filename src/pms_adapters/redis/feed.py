"""The published feed: one Redis Stream an agency, for other processes that want to follow what happens.

Owns the streams' names, entries and length. Nothing of ours depends on them: a reader that finds the stream trimmed,
or Redis emptied, reads on from the log by its position. The id of an entry is that position (its transaction
counted from the lowest there can be), so an event that is published twice stands in the stream once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from attrs import frozen
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from pmscore.kernel.errors import UnreachableError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import AgencyId

__all__ = ["FeedEntry", "RedisFeed", "stream_name"]

MOST_ENTRIES = 10_000
# Redis counts from zero; the transactions of events that were restored from another server are negative.
_FIRST_TRANSACTION = -(1 << 62)
_STANDS_ALREADY = "equal or smaller than the target stream top item"


@frozen(kw_only=True)
class FeedEntry:
    """One event for the feed; ``position`` is (transaction, sequence)."""

    position: tuple[int, int]
    event: dict[str, Json]


def stream_name(agency_id: AgencyId) -> str:
    """Return the name of an agency's stream."""
    return f"pms:events:{agency_id}"


class RedisFeed:
    """Publishes events to the streams of their agencies."""

    def __init__(self, client: Redis, *, most_entries: int = MOST_ENTRIES) -> None:
        self._client = client
        self._most_entries = most_entries

    def publish(self, agency_id: AgencyId, entries: Iterable[FeedEntry]) -> None:
        """Add entries in the order of their positions; those that stand already are left out.

        Raises:
            UnreachableError: Redis is away, or full; some may have been added.
        """
        stream = stream_name(agency_id)
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                for entry in entries:
                    transaction, sequence = entry.position
                    pipeline.xadd(
                        stream,
                        {"event": json.dumps(entry.event, ensure_ascii=False)},
                        id=f"{transaction - _FIRST_TRANSACTION}-{sequence}",
                        maxlen=self._most_entries,
                        approximate=True,
                    )
                answers = pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            raise UnreachableError(reason="redis", said=str(error)[:200]) from error
        for answer in answers:
            if isinstance(answer, ResponseError) and _STANDS_ALREADY in str(answer):
                continue
            if isinstance(answer, Exception):
                raise UnreachableError(reason="redis", said=str(answer)[:200]) from answer
