"""A stored body, read as a file: part by part, so that no more than one is in memory."""

from io import SEEK_CUR, SEEK_END, SEEK_SET, RawIOBase
from uuid import UUID

from reconciliation.models import SettlementFilePart

__all__ = ["PART_BYTES", "StoredBody"]

# Every part but the last has exactly so many bytes.
PART_BYTES = 1024**2


class StoredBody(RawIOBase):
    """The bytes of a file as they were received. Seekable; reads are filled up to the end of a part."""

    def __init__(self, *, file_id: UUID, size: int) -> None:
        super().__init__()
        self._file_id, self._size, self._place = file_id, size, 0
        self._number, self._part = -1, memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is: a zip is read from its end."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Go to a place. Raises ValueError for one before the beginning."""
        start = {SEEK_SET: 0, SEEK_CUR: self._place, SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("before the beginning of the file")
        self._place = start + offset
        return self._place

    def readinto(self, buffer) -> int:
        """Fill the buffer with what is left of a part; return how many bytes, 0 at the end."""
        if self._place >= self._size:
            return 0
        number, start = divmod(self._place, PART_BYTES)
        if number != self._number:
            self._part, self._number = self._read(number), number
        piece = self._part[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def _read(self, number: int) -> memoryview:
        parts = SettlementFilePart.objects.filter(file_id=self._file_id, position=number)
        part = memoryview(parts.values_list("content", flat=True).get())
        if len(part) != min(PART_BYTES, self._size - number * PART_BYTES):
            raise RuntimeError(f"part {number} of file {self._file_id} has another size than was received")
        return part
