"""The price of a stay by night, where a platform tells only what all of it costs.

Law: the nights sum to the amount exactly; they differ by one minor unit at most, the earlier ones having more.
"""

from __future__ import annotations

from pmscore.kernel.errors import InvalidInputError

__all__ = ["spread"]


def spread(total: int, nights: int) -> tuple[int, ...]:
    """Return an amount in minor units by night: equal parts, what is left over one by one from the first night on.

    Raises:
        InvalidInputError: field ``total``, ``negative_amount``; field ``nights``, ``out_of_range``: fewer than one.
    """
    if total < 0:
        raise InvalidInputError("total", "negative_amount")
    if nights < 1:
        raise InvalidInputError("nights", "out_of_range", least=1)
    each, left = divmod(total, nights)
    return tuple(each + (night < left) for night in range(nights))
