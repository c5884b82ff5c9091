"""A folder that a provider's client fills: SFTP and EBICS clients work so, and people.

    <SETTLEMENT_FILES_DIR>/<source>/inbox   what came
                                   /taken   what was received; nobody reads it again

Both folders are made by whoever runs the client, once: a disk that is not mounted must not look like a day
without files. A file is whole when two looks find the same size and time of change, or when one of its name
with `.done` behind it lies there too. It is moved only after it was received: whoever dies in between finds
it again, and receiving it again changes nothing (I34).
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from django.conf import settings as configured

from channels.types import ChannelData
from core.errors import DomainError
from core.failpoints import failpoint
from core.transactions import forbids_transaction
from reconciliation.fetchers.contract import Fetched, FetchFailed, Swept
from reconciliation.sources.types import SourceData, SourceSettings

__all__ = ["DropFolder"]

_DONE = ".done"
# What clients call a file that they are still writing.
_UNFINISHED = (".part", ".tmp", ".filepart")
_MOST_AT_ONCE = 200


class DropFolder:
    """Files that arrive in a folder of this machine."""

    name, title = "folder", "A folder on this machine"

    def why_not(self, settings: SourceSettings, channel: ChannelData | None) -> str:
        """Any file may lie in a folder."""
        return ""

    @forbids_transaction
    def sweep(
        self, source: SourceData, seen: Mapping[str, Sequence[int]], receive: Callable[[Fetched], object]
    ) -> Swept:
        """See Sweeper."""
        place = _place(source)
        found = _look(place / "inbox")
        taken, problems = 0, []
        for name in sorted(found)[:_MOST_AT_ONCE]:
            is_marked = (place / "inbox" / (name + _DONE)).exists()
            if not is_marked and list(seen.get(name, ())) != found[name]:
                continue
            try:
                _take(place, name, receive)
            except (DomainError, OSError) as error:
                problems.append(f"{name}: {error}"[:300])
                continue
            taken += 1
            del found[name]
        return Swept(taken, found, problems)


def _place(source: SourceData) -> Path:
    if not configured.SETTLEMENT_FILES_DIR:
        raise FetchFailed("SETTLEMENT_FILES_DIR is not set")
    place = Path(configured.SETTLEMENT_FILES_DIR) / source.name
    missing = [part for part in ("inbox", "taken") if not (place / part).is_dir()]
    if missing:
        raise FetchFailed(f"there is no folder {', '.join(missing)} for the source {source.name}")
    return place


def _look(inbox: Path) -> dict[str, list[int]]:
    """Return size and time of change of every plain file that may be one of ours."""
    found = {}
    try:
        for entry in os.scandir(inbox):
            lower = entry.name.lower()
            if lower.startswith(".") or lower.endswith((*_UNFINISHED, _DONE)):
                continue
            if entry.is_file(follow_symlinks=False):
                state = entry.stat(follow_symlinks=False)
                found[entry.name] = [state.st_size, state.st_mtime_ns]
    except OSError as error:
        raise FetchFailed(f"the folder cannot be read: {error}") from error
    return found


def _take(place: Path, name: str, receive: Callable[[Fetched], object]) -> None:
    path = place / "inbox" / name
    with path.open("rb") as body:
        before = os.fstat(body.fileno())
        receive(Fetched(name, body))
        failpoint("settlement_folder.received")
        body.seek(0)
        digest = hashlib.file_digest(body, "sha256").hexdigest()
        after = os.fstat(body.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise OSError("it was changed while it was read")
    _move(path, place / "taken" / name, digest)
    (place / "inbox" / (name + _DONE)).unlink(missing_ok=True)


def _move(path: Path, to: Path, digest: str) -> None:
    """Move a file without writing over another one of its name."""
    for target in (to, to.with_name(f"{to.name}.{digest[:12]}")):
        try:
            os.link(path, target)
        except FileExistsError:
            continue
        path.unlink()
        return
    # Both names are taken: this very body lies there already.
    path.unlink()
