"""Letters over SMTP, with the standard library.

Owns the connection and its encryption; leaves the words to whoever sends.
"""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from pmscore.kernel.errors import InvalidInputError, UnreachableError

__all__ = ["SmtpPost"]

PATIENCE_SECONDS = 10.0
_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


@frozen(kw_only=True)
class SmtpPost:
    """A mail server: ``smtps`` is encrypted from the start, ``smtp`` with STARTTLS, ``smtp+plain`` not at all."""

    scheme: str
    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str, sender: str) -> SmtpPost:
        """Return the server of a URL such as ``smtp://user:password@mail.example:587``.

        Raises:
            InvalidInputError: field ``MAIL_URL``; it is none, or asks to send a password unencrypted.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError as error:
            raise InvalidInputError("MAIL_URL", "not_a_url") from error
        if parts.scheme not in _PORTS or not parts.hostname:
            raise InvalidInputError("MAIL_URL", "unknown_scheme", allowed=", ".join(_PORTS))
        if parts.scheme == "smtp+plain" and parts.password:
            raise InvalidInputError("MAIL_URL", "password_unencrypted")
        return cls(
            scheme=parts.scheme,
            host=parts.hostname,
            port=port,
            sender=sender,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )

    def carry(self, to: str, subject: str, text: str) -> None:
        """Hand a letter to the server.

        Raises:
            UnreachableError: it did not take it; ``said`` is its answer's code or the kind of failure.
        """
        try:
            letter = self._written(to, subject, text)
            with self._connected() as server:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(letter)
        except smtplib.SMTPResponseException as error:
            raise UnreachableError(reason="mail_refused", said=error.smtp_code) from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            # The text of the error may hold the address, so only its kind is told.
            raise UnreachableError(reason="mail_failed", said=type(error).__name__) from None

    def _written(self, to: str, subject: str, text: str) -> EmailMessage:
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self.sender, to, subject
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(text)
        return letter

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.scheme == "smtps":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=PATIENCE_SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=PATIENCE_SECONDS)
        if self.scheme == "smtp":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server
