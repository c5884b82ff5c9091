"""Opening a body as it came: plain, gzip (RFC 1952) or zip; in a stream, bounded, and whole or not at all.

The packing is told by its first bytes, never by a name. A packed body holds one file; what a reader of it
gets is checked against the check sum of the packing, so that damage never looks like the end of a file.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from gzip import BadGzipFile, GzipFile
from io import SEEK_SET, BufferedReader, RawIOBase
from shutil import copyfileobj
from stat import S_ISREG
from struct import error as StructError
from tempfile import TemporaryFile
from typing import BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError

from reconciliation.formats.contract import Refused

__all__ = ["MAX_UNPACKED_BYTES", "unpack"]

MAX_UNPACKED_BYTES = 4 * 1024**3
_RATIO_MAX = 200
# So much may come out of however little: a small file of many blanks is no bomb.
_RATIO_FREE_BYTES = 1024**2
_BUFFER_BYTES = 256 * 1024
# The list of contents is read at once: no honest file with one member needs more than this for it.
_DIRECTORY_BYTES_MAX = 1024**2

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_ZIP_OTHERS = (b"PK\x05\x06", b"PK\x07\x08")  # an empty one, one of several volumes
_ENCRYPTED = 0x1
_UNIX = 3


@contextmanager
def unpack(
    body: BinaryIO, *, limit: int = MAX_UNPACKED_BYTES, member: Callable[[str], bool] | None = None
) -> Iterator[tuple[BinaryIO, str]]:
    """Open a body; the value is the stream of the one file in it, and its packing: "", "gzip" or "zip".

    `body` stands at its beginning; it is not closed. `limit` is how many bytes may come out. `member` chooses
    among the files of a zip by name (as `zipfile` gives it: code page 437 where the zip does not say UTF-8).
    Leaving the block regularly reads what was not read, so that damage after the last line is found too.

    Raises Refused, here and from reading: `packing_invalid` (not exactly one file, encrypted, packed twice, a
    name that leaves its folder), `packing_damaged` (cut off, a wrong check sum, something after its end),
    `packing_too_large` (more than `limit`, or more than 200 bytes out of one beyond the first MiB).
    """
    source = _Source(body)
    buffered = BufferedReader(source, _BUFFER_BYTES)
    head = buffered.peek(4)[:4]
    if head[:2] == _GZIP:
        inner = GzipFile(fileobj=buffered, mode="rb")
        stream, packing = _Bounded(cast(BinaryIO, inner), limit, lambda: source.taken), "gzip"
    elif head == _ZIP or head in _ZIP_OTHERS:
        with (
            _seekable(body, cast(BinaryIO, buffered)) as seekable,
            _zip_opened(seekable) as archive,
            _member_opened(archive, limit, member) as stream,
        ):
            yield from _handed_out(stream, "zip")
        return
    else:
        stream, packing = _Bounded(cast(BinaryIO, buffered), limit), ""
    yield from _handed_out(stream, packing)


def _handed_out(bounded: "_Bounded", packing: str) -> Iterator[tuple[BinaryIO, str]]:
    stream = BufferedReader(bounded, _BUFFER_BYTES)
    head = stream.peek(4)[:4]
    if packing and (head[:2] == _GZIP or head == _ZIP or head in _ZIP_OTHERS):
        raise Refused("packing_invalid", "the file is packed twice")
    yield cast(BinaryIO, stream), packing
    while stream.read(_BUFFER_BYTES):
        pass


class _Source(RawIOBase):
    """The body, counting what was taken of it; reads are filled, so that a short one means the end."""

    def __init__(self, body: BinaryIO) -> None:
        self._body = body
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        view, filled = memoryview(buffer), 0
        while filled < len(view) and (piece := self._body.read(len(view) - filled)):
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
        self.taken += filled
        return filled


class _Bounded(RawIOBase):
    """What comes out of a packing: counted against the caps, with every kind of damage named alike."""

    def __init__(self, inner: BinaryIO, limit: int, taken: Callable[[], int] | None = None) -> None:
        self._inner, self._limit, self._taken = inner, limit, taken
        self.expected: int | None = None
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        try:
            piece = self._inner.read(len(buffer))
        except (BadGzipFile, BadZipFile, EOFError, ZlibError) as error:
            raise Refused("packing_damaged", f"the packing is damaged: {error}") from error
        self._given += len(piece)
        if self._given > self._limit:
            raise Refused("packing_too_large", f"more than {self._limit} bytes come out of the file")
        if self._taken and self._given > max(_RATIO_FREE_BYTES, _RATIO_MAX * self._taken()):
            raise Refused("packing_too_large", f"more than {_RATIO_MAX} bytes come out of each packed one")
        if not piece and len(buffer) and self.expected not in (None, self._given):
            raise Refused("packing_damaged", "the zip announces another size than came out")
        buffer[: len(piece)] = piece
        return len(piece)


@contextmanager
def _seekable(body: BinaryIO, buffered: BinaryIO) -> Iterator[BinaryIO]:
    """A zip is read from its end: what cannot go there is written to a file of its own first."""
    if body.seekable():
        yield body
        return
    with TemporaryFile() as spooled:
        copyfileobj(buffered, spooled, _BUFFER_BYTES)
        spooled.seek(0)
        yield cast(BinaryIO, spooled)


class _Careful:
    """A seekable body from which nothing is read at once that could fill the memory."""

    def __init__(self, body: BinaryIO) -> None:
        self._body = body
        self.tell, self.seekable = body.tell, body.seekable

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        if whence == SEEK_SET and offset < 0:
            raise BadZipFile("it refers to what is before its beginning")
        return self._body.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        if size > _DIRECTORY_BYTES_MAX:
            raise Refused("packing_invalid", "the zip has too long a list of contents")
        return self._body.read(size)


def _zip_opened(body: BinaryIO) -> ZipFile:
    try:
        return ZipFile(cast(BinaryIO, _Careful(body)))
    except (BadZipFile, NotImplementedError, ValueError) as error:
        raise Refused("packing_damaged", f"the zip is damaged: {error}") from error


def _member_opened(archive: ZipFile, limit: int, member: Callable[[str], bool] | None) -> "_Bounded":
    info = _only_member(archive.infolist(), member)
    if info.file_size > limit:
        raise Refused("packing_too_large", f"more than {limit} bytes come out of the file")
    try:
        inner = archive.open(info)
    except (BadZipFile, NotImplementedError, RuntimeError, StructError, ValueError) as error:
        raise Refused("packing_damaged", f"the zip is damaged: {error}") from error
    bounded = _Bounded(cast(BinaryIO, inner), limit, lambda: info.compress_size)
    bounded.expected = info.file_size
    return bounded


def _only_member(infos: list[ZipInfo], member: Callable[[str], bool] | None) -> ZipInfo:
    for info in infos:
        _check_member(info)
    files = [info for info in infos if not info.is_dir() and (member is None or member(info.filename))]
    if len(files) != 1:
        raise Refused("packing_invalid", f"the zip holds {len(files)} files that could be meant, not one")
    return files[0]


def _check_member(info: ZipInfo) -> None:
    name = info.filename.replace("\\", "/")
    if not name or name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
        raise Refused("packing_invalid", "a name in the zip is none, or leaves its folder")
    if info.flag_bits & _ENCRYPTED:
        raise Refused("packing_invalid", "the zip is encrypted")
    mode = info.external_attr >> 16
    if info.create_system == _UNIX and mode and not info.is_dir() and not S_ISREG(mode) and mode >> 12:
        raise Refused("packing_invalid", "the zip holds what is no regular file")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise Refused("packing_invalid", "the zip is packed in a way that is not supported")
