"""A body as it came: one file comes out of it, whole, in bounded memory, or none."""

import gzip
import io
import random
import stat
import struct
import zipfile
from contextlib import suppress

import pytest

from reconciliation.formats.contract import Refused
from reconciliation.formats.packing import unpack

MIB = 1024**2
TEXT = b"".join(b"%d;line of a file;12.50\n" % number for number in range(2000))


class Pipe(io.RawIOBase):
    """A body that cannot go back, and gives less than it is asked for."""

    def __init__(self, content: bytes) -> None:
        self._inner = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(min(size, 777) if size >= 0 else 777)


def zipped(*members, **more) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, **more) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return target.getvalue()


def opened(content, **options) -> tuple[bytes, str]:
    body = content if not isinstance(content, bytes) else io.BytesIO(content)
    with unpack(body, **options) as (stream, packing):
        return stream.read(), packing


def refusal(content, **options) -> str:
    with pytest.raises(Refused) as caught:
        opened(content, **options)
    return caught.value.code


@pytest.mark.parametrize("as_body", [io.BytesIO, Pipe])
@pytest.mark.parametrize(
    ("packed", "packing"),
    [
        (TEXT, ""),
        (b"", ""),
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT[:500]) + gzip.compress(TEXT[500:]), "gzip"),
        (zipped(("a.csv", TEXT)), "zip"),
        (zipped(("folder/", b""), ("folder/a.csv", TEXT)), "zip"),
    ],
)
def test_what_was_packed_comes_out(packed, packing, as_body):
    assert opened(as_body(packed)) == (TEXT if packed else b"", packing)


def test_lines_are_read_one_by_one():
    with unpack(io.BytesIO(gzip.compress(TEXT))) as (stream, _):
        assert list(stream) == TEXT.splitlines(keepends=True)


def test_members_are_chosen_by_name():
    content = zipped(("detail.csv", TEXT), ("summary.csv", b"total"))
    assert refusal(content) == "packing_invalid"
    assert opened(content, member=lambda name: name.startswith("sum")) == (b"total", "zip")
    assert refusal(content, member=lambda name: name.endswith(".csv")) == "packing_invalid"


def _link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("a.csv")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


def _encrypted() -> bytes:
    content = bytearray(zipped(("a.csv", TEXT)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1
    return bytes(content)


def _nameless() -> bytes:
    """A name that is nothing but its end."""
    content = bytearray(zipped(("x", TEXT)))
    for mark, at in ((b"PK\x03\x04", 30), (b"PK\x01\x02", 46)):
        content[content.index(mark) + at] = 0
    return bytes(content)


def _bzip2() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.csv", TEXT)
    return target.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        zipped(),
        zipped(("folder/", b"")),
        zipped(("a.csv", TEXT), ("b.csv", TEXT)),
        zipped(("../a.csv", TEXT)),
        zipped(("a/..\\../a.csv", TEXT)),
        zipped(("/etc/a.csv", TEXT)),
        zipped(("C:a.csv", TEXT)),
        zipped((_link(), b"/etc/passwd")),
        zipped(("a.zip", zipped(("a.csv", TEXT)))),
        zipped(("a.gz", gzip.compress(TEXT))),
        gzip.compress(gzip.compress(TEXT)),
        gzip.compress(zipped(("a.csv", TEXT))),
        _encrypted(),
        _bzip2(),
        _nameless(),
    ],
)
def test_anything_but_one_plain_file_is_refused(content):
    assert refusal(content) == "packing_invalid"


@pytest.mark.parametrize("content", [gzip.compress(TEXT), zipped(("a.csv", TEXT))])
def test_a_packed_body_cut_anywhere_is_refused(content):
    """F-H1."""
    for end in range(4, len(content), 7 if len(content) > 5000 else 1):
        assert refusal(content[:end]) in {"packing_damaged", "packing_invalid"}, end


def test_damage_is_found_though_the_reader_stopped_early():
    content = bytearray(gzip.compress(TEXT))
    content[-5] ^= 1
    with pytest.raises(Refused, match="packing_damaged"), unpack(io.BytesIO(content)) as (stream, _):
        stream.readline()


def test_a_gzip_with_something_behind_it_is_refused():
    assert refusal(gzip.compress(TEXT) + b"more") == "packing_damaged"


@pytest.mark.parametrize("content", [gzip.compress(TEXT), zipped(("a.csv", TEXT))])
def test_a_flipped_bit_never_changes_what_comes_out(content):
    chance = random.Random(7)
    for _ in range(500):
        flipped = bytearray(content)
        flipped[chance.randrange(4, len(content))] ^= 1 << chance.randrange(8)
        with suppress(Refused):
            assert opened(bytes(flipped))[0] == TEXT


def test_bombs_are_stopped_long_before_they_are_unpacked():
    bomb = b" " * (64 * MIB)
    for content in (gzip.compress(bomb), zipped(("a.csv", bomb))):
        with pytest.raises(Refused) as caught, unpack(io.BytesIO(content)) as (stream, _):
            read = 0
            while piece := stream.read(64 * 1024):
                read += len(piece)
        assert caught.value.code == "packing_too_large"
        assert read <= 32 * MIB


def test_a_zip_that_lies_about_its_size_is_refused():
    content = bytearray(zipped(("a.csv", TEXT)))
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.index(mark) + at, len(TEXT) + 1)
    assert refusal(bytes(content)) == "packing_damaged"
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.index(mark) + at, 10)
    assert refusal(bytes(content)) == "packing_damaged"


def test_a_list_of_contents_that_would_fill_the_memory_is_not_read():
    assert refusal(zipped(*((f"{number:0>60}.csv", b"") for number in range(9000)))) == "packing_invalid"


@pytest.mark.parametrize("content", [TEXT, gzip.compress(TEXT), zipped(("a.csv", TEXT))])
def test_no_more_than_the_limit_comes_out(content):
    assert opened(content, limit=len(TEXT))[0] == TEXT
    assert refusal(content, limit=len(TEXT) - 1) == "packing_too_large"


def test_what_a_reader_raises_is_not_taken_for_damage():
    for content in (TEXT, gzip.compress(TEXT), zipped(("a.csv", TEXT))):
        with pytest.raises(ValueError, match="mine"), unpack(io.BytesIO(content)):
            raise ValueError("mine")
