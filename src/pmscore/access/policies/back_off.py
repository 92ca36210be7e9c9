"""How long an account waits after wrong passwords.

Owns the rule: a handful of tries is free, then each failure doubles the wait. Leaves limits by address to the
host app.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pmscore.access.model.users import User

__all__ = ["FREE_TRIES", "LONGEST_WAIT", "may_try", "taking_a_try"]

FREE_TRIES = 5
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)


def may_try(user: User, now: datetime) -> bool:
    """Return whether a password is looked at now."""
    return user.blocked_until is None or user.blocked_until <= now


def taking_a_try(user: User, now: datetime) -> User:
    """Return the account with one more try taken, before anybody knows whether it succeeds.

    Counting first means that a hundred guesses at once are a hundred tries, not one.
    """
    tries = user.failed_tries + 1
    doublings = min(tries - FREE_TRIES, 10)
    wait = min(FIRST_WAIT * 2**doublings, LONGEST_WAIT) if doublings >= 0 else None
    return user.trying(tries, None if wait is None else now + wait)
