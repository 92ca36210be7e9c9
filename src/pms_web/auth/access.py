"""What the views of access are given.

Owns the shape. Leaves making one to ``wiring``.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen

from pms_web.auth.background import Background
from pms_web.auth.tokens import Tokens
from pmscore.access.ports import AccessReader, MailSender, MemberWork, PasswordHasher
from pmscore.kernel.ports import UnitOfWork
from pmscore.kernel.secrets import SecretSource

__all__ = ["Access"]


def _forget_nothing() -> None:
    """Stand in where nothing is remembered."""


@frozen(kw_only=True)
class Access:
    """Everything that letting people and programs in takes; safe to share between threads.

    ``forget`` makes this process forget what it knows of keys and members, to be called after they have changed.
    """

    uow: UnitOfWork[MemberWork] = field(repr=False)
    reader: AccessReader = field(repr=False)
    passwords: PasswordHasher = field(repr=False)
    secrets: SecretSource = field(repr=False)
    tokens: Tokens = field(repr=False)
    mail: MailSender = field(repr=False)
    background: Background = field(repr=False)
    forget: Callable[[], None] = field(default=_forget_nothing, repr=False)
