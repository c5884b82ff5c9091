"""A folder that the bank's own client empties and fills: EBICS and SFTP clients work so, and people.

    <PAYOUT_FILES_DIR>/<channel>/outbox   what the bank is to have; its client takes it away
                                /kept     our copies, which nobody takes away
                                /inbox    what the bank answers

The three folders are made by whoever runs the client, once: a disk that is not mounted must not look like
an empty outbox. Because the client may take a file at any moment, a file that is not in the outbox proves
nothing. So a copy is kept before the file is laid out, and a mark beside it afterwards:

* no copy: nothing was ever laid out, and the file may be;
* a copy with its mark, or a copy and the file still in the outbox: the bank has it, or will;
* a copy alone: we died in between. Nobody but a person, or the bank's report, knows (F-F5).
"""

import hashlib
import os
import re
import tempfile
from pathlib import Path

from django.conf import settings

from channels.types import ChannelData
from core.failpoints import failpoint
from core.transactions import forbids_transaction
from payouts.providers.contract import BatchKind
from payouts.providers.files.transport import Placed, Received, Report, evidence
from payouts.providers.files.xml import MAX_FILE_BYTES

__all__ = ["Folder"]

_REPORT_NAME = re.compile(r"[^.].*\.xml", re.IGNORECASE)
_MARK = ".laid-out"


class _Unusable(Exception):
    """The folder is not as it must be; nothing was written."""


class Folder:
    """A transport by files of this machine; see the module for what proves what."""

    @forbids_transaction
    def put(self, channel: ChannelData, name: str, content: bytes) -> Placed:
        """See Transport."""
        try:
            if not channel.is_enabled:
                raise _Unusable("the channel is switched off")
            place = _place(channel)
        except (_Unusable, OSError) as error:
            return self._placed(channel, "file.put", BatchKind.NOT_SENT, name, content, str(error))
        try:
            if not _create(place / "kept", name, content):
                return self._found(channel, place, "file.put", name, content)
            failpoint("payout_file.kept")
            if not _create(place / "outbox", name, content):
                raise _Unusable("there is a file of this name in the outbox that we did not lay out")
            failpoint("payout_file.laid_out")
            _create(place / "kept", name + _MARK, b"")
        except (_Unusable, OSError) as error:
            return self._placed(channel, "file.put", BatchKind.UNKNOWN, name, content, str(error))
        return self._placed(channel, "file.put", BatchKind.TAKEN, name, content)

    @forbids_transaction
    def find(self, channel: ChannelData, name: str, content: bytes) -> Placed:
        """See Transport."""
        try:
            return self._found(channel, _place(channel), "file.find", name, content)
        except (_Unusable, OSError) as error:
            return self._placed(channel, "file.find", BatchKind.UNKNOWN, name, content, str(error))

    @forbids_transaction
    def receive(self, channel: ChannelData) -> Received:
        """See Transport. What is not a plain file, not XML by its name, or too long, is not looked at."""
        reports: list[Report] = []
        try:
            for entry in sorted(os.scandir(_place(channel) / "inbox"), key=lambda entry: entry.name):
                if not _REPORT_NAME.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False):
                    continue
                if entry.stat(follow_symlinks=False).st_size > MAX_FILE_BYTES:
                    continue
                content = Path(entry.path).read_bytes()
                facts = {"name": entry.name, "bytes": len(content)}
                reports.append(
                    Report(entry.name, content, (evidence(channel, "file.report", content, facts),))
                )
        except (_Unusable, OSError) as error:
            return Received(tuple(reports), str(error))
        return Received(tuple(reports))

    def _found(self, channel: ChannelData, place: Path, kind: str, name: str, content: bytes) -> Placed:
        kept, laid_out = place / "kept" / name, place / "outbox" / name
        answer, error = BatchKind.TAKEN, ""
        if not kept.exists():
            answer, error = BatchKind.ABSENT, "the file was never laid out"
        elif kept.read_bytes() != content:
            answer, error = BatchKind.UNKNOWN, "there is another file of this name"
        elif laid_out.exists():
            if laid_out.read_bytes() != content:
                answer, error = BatchKind.UNKNOWN, "there is another file of this name in the outbox"
        elif not (place / "kept" / (name + _MARK)).exists():
            answer, error = BatchKind.UNKNOWN, "it is not known whether the file was laid out"
        return self._placed(channel, kind, answer, name, content, error)

    def _placed(
        self, channel: ChannelData, kind: str, answer: BatchKind, name: str, content: bytes, error: str = ""
    ) -> Placed:
        facts = {
            "name": name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "found": answer.value,
        }
        return Placed(answer, error, (evidence(channel, kind, content, facts, error=error),))


def _place(channel: ChannelData) -> Path:
    if not settings.PAYOUT_FILES_DIR:
        raise _Unusable("PAYOUT_FILES_DIR is not set")
    place = Path(settings.PAYOUT_FILES_DIR) / channel.name
    missing = [part for part in ("outbox", "kept", "inbox") if not (place / part).is_dir()]
    if missing:
        raise _Unusable(f"there is no folder {', '.join(missing)} for the channel {channel.name}")
    return place


def _create(folder: Path, name: str, content: bytes) -> bool:
    """Make a file that is whole from its first moment and stays over a power cut; False if there is one."""
    handle, unnamed = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(unnamed, folder / name)
        except FileExistsError:
            return False
    finally:
        os.unlink(unnamed)
    listing = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(listing)
    finally:
        os.close(listing)
    return True
