"""A body as it was received: streamed to whoever may have it, and the record that it was refused for."""

from collections.abc import Iterator
from io import BufferedReader
from typing import BinaryIO
from uuid import UUID

from core.audit_trail import record_audit
from core.errors import NotFound
from core.transactions import requires_transaction
from reconciliation.formats.contract import Refused
from reconciliation.formats.packing import unpack
from reconciliation.ingest.body import StoredBody
from reconciliation.models import SettlementFile

__all__ = ["body_of", "record_at", "take_out"]

_PIECE = 256 * 1024
# So far a page reads for one line; a person who wants more takes the file out.
_MOST_LINES = 200_000
_MOST_BYTES = 64 * 1024**2
_LONGEST = 2000


@requires_transaction
def take_out(*, merchant_id: UUID, file_id: UUID, by: str) -> SettlementFile:
    """Note that somebody takes a file out, and return it for `body_of`. Raises NotFound."""
    file = SettlementFile.objects.filter(merchant_id=merchant_id, pk=file_id).first()
    if file is None:
        raise NotFound()
    record_audit(
        actor=by,
        action="settlement_file.download",
        subject=file.public_id,
        detail={"name": file.name, "sha256": bytes(file.sha256).hex()},
        merchant_id=merchant_id,
    )
    return file


def body_of(file: SettlementFile) -> Iterator[bytes]:
    """Yield the bytes of a file as they were received, a part at a time."""
    body = StoredBody(file_id=file.pk, size=file.size)
    while piece := body.read(_PIECE):
        yield piece


def record_at(file: SettlementFile, line_no: int) -> str:
    """Return a line of the unpacked body; empty where it has no such line, or cannot be unpacked."""
    if not 1 <= line_no <= _MOST_LINES:
        return ""
    body = BufferedReader(StoredBody(file_id=file.pk, size=file.size))
    try:
        with unpack(body, limit=_MOST_BYTES) as (stream, _packing):
            for _ in range(line_no - 1):
                _line(stream)
            # By an error, because leaving the block in peace would read the file to its end.
            raise _Found(_line(stream))
    except _Found as found:
        return found.line.decode(_encoding(file), "replace").rstrip("\r\n")
    except Refused:
        return ""  # It cannot be unpacked, or not so far: there is no line to show.


class _Found(Exception):
    """The line, at most its beginning."""

    def __init__(self, line: bytes) -> None:
        self.line = line
        super().__init__()


def _line(stream: BinaryIO) -> bytes:
    """Read a line to its end and return its beginning."""
    begins = piece = stream.readline(_LONGEST)
    while len(piece) == _LONGEST and not piece.endswith(b"\n"):
        piece = stream.readline(_LONGEST)
    return begins


def _encoding(file: SettlementFile) -> str:
    try:
        "".encode(file.source.encoding)
    except LookupError:
        return "utf-8"
    return file.source.encoding
