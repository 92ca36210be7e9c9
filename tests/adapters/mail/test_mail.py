"""Letters over SMTP, tried with a small server of our own, and to the terminal."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy

import pytest

from pms_adapters.mail.console import ConsolePost
from pms_adapters.mail.smtp import SmtpPost
from pmscore.kernel.errors import InvalidInputError, UnreachableError


class Taken:
    """What a server was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.letter = b""


@contextmanager
def server(*, refuses: str = "") -> Iterator[tuple[int, Taken]]:
    """Run a server that takes one letter, or refuses the command that begins so."""
    taken = Taken()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as stream:

            def say(text: str) -> None:
                stream.write(text.encode() + b"\r\n")
                stream.flush()

            say("220 here")
            for raw in stream:
                line = raw.decode().strip()
                taken.lines.append(line)
                if refuses and line.upper().startswith(refuses):
                    say("550 no such mailbox")
                elif line.upper() == "DATA":
                    say("354 go on")
                    body = []
                    while (part := stream.readline()) != b".\r\n":
                        body.append(part)
                    taken.letter = b"".join(body)
                    say("250 taken")
                elif line.upper() == "QUIT":
                    say("221 bye")
                    return
                else:
                    say("250 fine")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], taken
    finally:
        listener.close()
        thread.join(5)


def post(port: int) -> SmtpPost:
    return SmtpPost.of(f"smtp+plain://127.0.0.1:{port}", "pms@house.example")


def test_a_letter_arrives_as_it_was_written():
    with server() as (port, taken):
        post(port).carry("ada@example.com", "Grüße", "Hallo Zoë,\n\nein Link: https://x.example/#abc\n")
    letter = message_from_bytes(taken.letter, policy=policy.default)
    assert letter["To"] == "ada@example.com"
    assert letter["From"] == "pms@house.example"
    assert letter["Subject"] == "Grüße"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content().replace("\r\n", "\n") == "Hallo Zoë,\n\nein Link: https://x.example/#abc\n"


def test_a_header_cannot_be_smuggled_in():
    """The letter is not even written, so no server hears of it."""
    with pytest.raises(UnreachableError) as refused:
        post(9).carry("ada@example.com", "Hi\r\nBcc: eve@example.com", "x")
    assert refused.value.params["said"] == "ValueError"


def test_a_refusal_tells_the_code_and_no_address():
    with server(refuses="RCPT") as (port, _), pytest.raises(UnreachableError) as refused:
        post(port).carry("ada@example.com", "Hi", "x")
    assert "ada@example.com" not in str(refused.value)


def test_a_server_that_is_not_there_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError) as refused:
        post(port).carry("ada@example.com", "Hi", "x")
    assert refused.value.params["reason"] == "mail_failed"


def test_encryption_that_the_server_does_not_offer_is_not_done_without():
    with server() as (port, taken), pytest.raises(UnreachableError):
        SmtpPost.of(f"smtp://jo:secret@127.0.0.1:{port}", "pms@house.example").carry("a@b.c", "Hi", "x")
    assert not any("AUTH" in line or "MAIL" in line for line in taken.lines)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://mail.example", "unknown_scheme"),
        ("smtp://", "unknown_scheme"),
        ("smtp://mail.example:port", "not_a_url"),
        ("smtp+plain://jo:secret@mail.example", "password_unencrypted"),
    ],
)
def test_a_server_that_cannot_be_is_refused_without_its_password(url, reason):
    with pytest.raises(InvalidInputError) as refused:
        SmtpPost.of(url, "pms@house.example")
    assert (refused.value.field, refused.value.reason) == ("MAIL_URL", reason)
    assert "secret" not in str(refused.value)


def test_parts_of_the_url_are_read_with_their_usual_ports():
    found = SmtpPost.of("smtps://jo%40house:p%2Fw@mail.example", "pms@house.example")
    assert (found.host, found.port, found.user, found.password) == ("mail.example", 465, "jo@house", "p/w")
    assert "p/w" not in repr(found)


def test_the_terminal_shows_whole_letters():
    shown = io.StringIO()
    ConsolePost(shown).carry("ada@example.com", "Hi", "The link\n")
    assert shown.getvalue() == "--- letter to ada@example.com: Hi ---\nThe link\n---\n"
