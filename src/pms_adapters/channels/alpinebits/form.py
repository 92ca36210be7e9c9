"""The form in which an action and its document travel (multipart/form-data, RFC 7578) and the name that we go by.

Owns headers and body of a call. Leaves what the documents say to ``documents``.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256

from pms_adapters.channels.alpinebits.actions import VERSION, Action
from pms_adapters.http.door import Call
from pmscore.kernel.secrets import Secret

__all__ = ["posted"]


def posted(url: str, action: Action, document: bytes, credentials: Mapping[str, Secret]) -> Call | None:
    """Return the call that asks for ``action``; None where there is no user name or no password to go by."""
    user, password = credentials.get("username"), credentials.get("password")
    if user is None or password is None or ":" in user.reveal():
        return None
    pair = f"{user.reveal()}:{password.reveal()}".encode()
    # The digest of a document does not stand in the document.
    boundary = f"pms-{sha256(document).hexdigest()[:40]}"
    headers: dict[str, str | Secret] = {
        "authorization": Secret(f"Basic {b64encode(pair).decode()}"),
        "accept": "text/xml",
        "content-type": f"multipart/form-data; boundary={boundary}",
        "x-alpinebits-clientprotocolversion": VERSION,
        "x-alpinebits-clientid": _client_id(credentials),
    }
    parts = (("action", action.name_in_form.encode()), ("request", document))
    body = b"".join(_part(boundary, name, value) for name, value in parts) + f"--{boundary}--\r\n".encode()
    return Call(method="POST", url=url, headers=headers, body=body)


def _client_id(credentials: Mapping[str, Secret]) -> str:
    given = credentials.get("client_id")
    return "pmscore" if given is None else given.reveal()


def _part(boundary: str, name: str, value: bytes) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + value + b"\r\n"
