"""The letters that carry one-time links.

Owns their words, and the address that a link begins with: the operator's, never one that a request brought along.
Leaves carrying them to a ``Post``.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

from attrs import frozen

from pmscore.access.model.links import Purpose
from pmscore.access.ports import Mail, MailSender

__all__ = ["PATH", "Letters", "Post"]

PATH = "/set-password"
"""The page behind a link; the secret stands behind ``#``, where no server and no log sees it."""

_SUBJECTS = {
    Purpose.RESET: "Choose a new password",
    Purpose.INVITATION: "You are invited",
}
_OPENINGS = {
    Purpose.RESET: (
        "Somebody, probably you, asked for a new password for this address.\n"
        "If it was not you, do nothing: your password stays as it is.\n"
    ),
    Purpose.INVITATION: (
        "You were given a place in a property-management system.\n"
        "Choose a password to begin. If you have an account already, you need not.\n"
    ),
}
_BODY = """\
Hello {name},

{opening}
The link works once, until {expires} (UTC):

  {link}

A good password has fifteen characters or more; a few words that nobody would guess are fine.
"""


class Post(Protocol):
    """Carries letters."""

    @abstractmethod
    def carry(self, to: str, subject: str, text: str) -> None:
        """Hand a letter over.

        Raises:
            UnreachableError: nobody took it.
        """


@frozen(kw_only=True)
class Letters(MailSender):
    """Writes letters and hands them to the post."""

    post: Post
    public_url: str

    def send(self, mail: Mail) -> None:
        """Write the letter and hand it over."""
        text = _BODY.format(
            name=" ".join(mail.name.split()),
            opening=_OPENINGS[mail.purpose],
            expires=f"{mail.expires_at:%Y-%m-%d %H:%M}",
            link=self.link(mail),
        )
        self.post.carry(mail.to, _SUBJECTS[mail.purpose], text)

    def link(self, mail: Mail) -> str:
        """Return the link itself."""
        return f"{self.public_url.rstrip('/')}{PATH}#{mail.secret}"
