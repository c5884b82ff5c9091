"""What crosses to other apps: frozen values, never rows."""

from dataclasses import dataclass
from uuid import UUID

from reconciliation.sources.types import SourceData, SourceSettings

__all__ = ["ReceivedFile", "SourceData", "SourceSettings"]


@dataclass(frozen=True)
class ReceivedFile:
    """What became of a body that was handed in: the file it is kept as, now or since an earlier time.

    `is_new` is False for a body that the source sent before; `status` is the file's state now.
    """

    file_id: UUID
    is_new: bool
    status: str
