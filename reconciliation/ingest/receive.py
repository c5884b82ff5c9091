"""Take a body in: read to its end and hashed before anything is stored, then stored whole or not at all.

The stream may be a download: no transaction is open while it is read. What broke off leaves nothing behind,
so that it can be sent again.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from hmac import compare_digest
from tempfile import TemporaryFile
from typing import IO, BinaryIO
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from psycopg import Copy

from core import clock
from core.alerts import raise_alert
from core.failpoints import failpoint
from core.history import begin
from core.ids import uuid7
from core.nudges import nudge
from core.settings_store import get_setting
from core.transactions import UNIQUE_VIOLATION, at_edge, forbids_transaction, sqlstate
from reconciliation.errors import FileRefused, FileTooLarge, SourceUnknown
from reconciliation.formats.contract import Control
from reconciliation.ingest.body import PART_BYTES
from reconciliation.ingest.confirm import confirm_again
from reconciliation.ingest.cover import cover_days
from reconciliation.ingest.declared import as_declared
from reconciliation.ingest.policy import MAX_BYTES, REFUSED
from reconciliation.models import SettlementFile, SettlementSource
from reconciliation.types import ReceivedFile

__all__ = ["DRAIN", "receive_file"]

DRAIN = "settlement_files"
# What providers sign downloads with; the first is always computed.
_DIGESTS = ("sha256", "sha1", "md5")
# A statement must end in time (STATEMENT_TIMEOUT_MS), whatever the size of the body.
_PARTS_AT_ONCE = 32
_NAME, _ACTOR = 200, 80


@dataclass(frozen=True)
class _Taken:
    """A body that lies in a file of ours."""

    spool: IO[bytes]
    size: int
    sha256: bytes
    packing: str


@forbids_transaction
def receive_file(
    *,
    source_id: UUID,
    name: str,
    body: BinaryIO,
    origin: str,
    by: str,
    asked_from: date | None = None,
    asked_to: date | None = None,
    declared_digest: str = "",
    declared_controls: Sequence[Control] = (),
) -> ReceivedFile:
    """Keep a body as it came, and have it staged; a body that the source sent before has no effect.

    `origin` is the fetcher, or "upload"; `asked_…` the business days it was asked for, where the file itself
    may not say. `declared_digest` is what the provider says about the body in a signed answer, as
    "sha256:…", "sha1:…" or "md5:…" in hexadecimal; `declared_controls` what it says elsewhere about the lines
    (see ingest.declared). Call it outside a transaction, with the stream at its
    beginning; it is read to the end and not closed.

    Raises SourceUnknown, FileTooLarge, FileRefused (`digest_mismatch`: nothing was kept), and whatever
    reading the stream raises.
    """
    source = SettlementSource.objects.filter(pk=source_id).first()
    if source is None:
        raise SourceUnknown()
    algorithm, _, expected = declared_digest.partition(":")
    if declared_digest and algorithm not in _DIGESTS:
        raise ValueError(f"{algorithm!r} is no digest that a provider declares")
    with TemporaryFile() as spool:
        size, packing, found = _spool(body, spool, algorithm)
        if expected and not compare_digest(found[algorithm].hex(), expected.strip().lower()):
            _tell(source, name)
            raise FileRefused(
                f"{name[:80]}: the provider declares another {algorithm} than the file has.",
                reason="digest_mismatch",
            )
        failpoint("settlement_files.spooled")
        row = SettlementFile(
            merchant_id=source.merchant_id,
            source=source,
            name=name[:_NAME],
            sha256=found["sha256"],
            size=size,
            packing=packing,
            origin=origin,
            received_by=by[:_ACTOR],
            asked_from=asked_from,
            asked_to=asked_to,
            declared=as_declared(declared_controls),
        )
        return _store(row, _Taken(spool, size, found["sha256"], packing))


def _spool(body: BinaryIO, spool: IO[bytes], algorithm: str) -> tuple[int, str, dict[str, bytes]]:
    """Read to the end; return the size, the packing and the digests."""
    limit: int = get_setting(name=MAX_BYTES.name)
    wanted = dict.fromkeys(["sha256", algorithm or "sha256"])
    hashes = {each: hashlib.new(each, usedforsecurity=False) for each in wanted}
    size, head = 0, b""
    while piece := body.read(PART_BYTES):
        head = head or piece[:4]
        size += len(piece)
        if size > limit:
            raise FileTooLarge(f"A settlement file may have {limit} bytes.")
        for each in hashes.values():
            each.update(piece)
        spool.write(piece)
    packing = "gzip" if head[:2] == b"\x1f\x8b" else "zip" if head[:2] == b"PK" else ""
    return size, packing, {each: hashed.digest() for each, hashed in hashes.items()}


@at_edge
def _store(row: SettlementFile, taken: _Taken) -> ReceivedFile:
    # Whoever sends the same body at the same moment waits for the first one's commit, and finds it.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '30s'")
    row.id = uuid7()
    row.received_at = row.updated_at = row.due_at = clock.now()
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise
        return _known(row)
    begin(row, why=f"received by {row.origin}", by=row.received_by)
    _copy_parts(row, taken.spool)
    nudge(DRAIN)
    return ReceivedFile(row.id, True, row.status)


def _known(row: SettlementFile) -> ReceivedFile:
    known = SettlementFile.objects.get(
        merchant_id=row.merchant_id, source_id=row.source_id, sha256=row.sha256
    )
    cover_days(known, by=row)
    if known.status == "PROVISIONAL":
        known = confirm_again(file_id=known.id, by=row.received_by)
    return ReceivedFile(known.id, False, known.status)


def _copy_parts(row: SettlementFile, spool: IO[bytes]) -> None:
    spool.seek(0)
    pieces = enumerate(iter(lambda: spool.read(PART_BYTES), b""))
    piece = next(pieces, None)
    while piece is not None:
        with _part_writer() as write:
            for _ in range(_PARTS_AT_ONCE):
                if piece is None:
                    break
                position, content = piece
                write.write_row((uuid7(), row.id, position, content))
                piece = next(pieces, None)


@contextmanager
def _part_writer() -> Iterator["Copy"]:
    sql = "COPY reconciliation_settlementfilepart (id, file_id, position, content) FROM STDIN (FORMAT binary)"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(sql) as copy:
        copy.set_types(["uuid", "uuid", "int4", "bytea"])
        yield copy


@at_edge
def _tell(source: SettlementSource, name: str) -> None:
    raise_alert(
        REFUSED,
        subject=f"settlement_source:{source.id}",
        summary=f"{source.name}: {name[:80]} is not the file whose digest the provider declares",
        detail={"code": "digest_mismatch", "source_id": str(source.id)},
        merchant_id=source.merchant_id,
    )
