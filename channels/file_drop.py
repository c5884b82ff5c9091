"""A bank's file drop over HTTP: payment orders are put there, status reports are fetched."""

import re
from urllib.parse import quote

from channels.answers import Answer, ask_json
from channels.client_transport import Transport
from core.transactions import forbids_transaction

__all__ = ["FileDrop"]

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


class FileDrop:
    """What a bank channel is called through. Each method makes one request; it raises NotSent or NoAnswer.

    A file is put under its name once: the same bytes again change nothing, other bytes are refused.
    """

    def __init__(self, *, base_url: str, bearer: str, line: Transport) -> None:
        self._base_url, self._bearer, self._transport = base_url, bearer, line

    @forbids_transaction
    def put_file(self, name: str, content: bytes) -> Answer:
        """Put a file: 201 it is new, 200 it was there already, 409 there is another one of this name."""
        return self._request("PUT", f"/bank/files/{_checked(name)}", content, "application/xml")

    @forbids_transaction
    def find_file(self, name: str) -> Answer:
        """Ask for a file: 200 with its `sha256`, or 404."""
        return self._request("GET", f"/bank/files/{_checked(name)}")

    @forbids_transaction
    def reports_after(self, number: int) -> Answer:
        """Ask for the reports after a number, oldest first: `data` with their `seq`, `name` and `content`."""
        return self._request("GET", f"/bank/reports?after={number:d}")

    def _request(self, method: str, path: str, content: bytes = b"", kind: str = "") -> Answer:
        return ask_json(
            self._transport,
            method=method,
            url=self._base_url + path,
            bearer=self._bearer,
            content=content,
            kind=kind,
        )


def _checked(name: str) -> str:
    if _FILE_NAME.fullmatch(name) is None:
        raise ValueError("a file name has letters, digits, dots, - and _")
    return quote(name, safe="")
