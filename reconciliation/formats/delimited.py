"""Delimited text, strictly: records with the line that they begin on, and columns by their names.

What it refuses (`Refused`): `encoding_invalid` for bytes that are not what the source declares, zero bytes
among them (no other encoding is tried: Latin-1 accepts anything, so trying it proves nothing); `truncated`
for a last line without its end; `quote_unclosed`, `field_too_long`, `line_too_long`, `record_too_long`,
`delimiters_invalid` for broken records; `header_missing`, `column_missing`, `column_twice` for headers;
`fields_count` for a row that is longer or shorter than its header. Blank lines are nothing.
"""

import csv
from codecs import lookup
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from io import StringIO
from operator import itemgetter
from typing import Protocol

from reconciliation.formats.contract import Refused

__all__ = [
    "MAX_FIELD",
    "MAX_LINE",
    "MAX_RECORD_LINES",
    "Body",
    "Columns",
    "Record",
    "as_text",
    "header",
    "one_blank",
    "records",
    "table",
    "text_lines",
]

MAX_FIELD = 131_072  # characters; what the csv module allows unless told otherwise, said here explicitly
MAX_LINE = 1_048_576  # bytes with the line end
MAX_RECORD_LINES = 1_000  # what quoted line ends may make of one record

# In these no byte of a longer character is a line end: bytes can be cut into lines before they are decoded.
_ENCODINGS = frozenset({"ascii", "utf-8", "gb18030", "gbk", "iso8859-1", "iso8859-15", "cp1252"})

Record = tuple[int, list[str]]
Picker = Callable[[list[str]], tuple[str, ...]]


class Body(Protocol):
    """What has lines of bytes. It should be buffered: they are taken one by one."""

    def readline(self, size: int = -1, /) -> bytes: ...


class _Text:
    """The lines of a body as text; `begins` is the line that the present record begins on."""

    __slots__ = ("_body", "_decoder", "_must_end", "begins")

    def __init__(self, body: Body, encoding: str, must_end: bool) -> None:
        self._body, self._must_end = body, must_end
        self._decoder = _decoder(encoding)
        self.begins = 1

    def __iter__(self) -> Iterator[str]:
        decode, must_end = self._decoder, self._must_end
        lines = iter(partial(self._body.readline, MAX_LINE + 1), b"")
        for number, line in enumerate(lines, start=1):
            if len(line) > MAX_LINE:
                raise Refused("line_too_long", f"a line has more than {MAX_LINE} bytes", number)
            if b"\0" in line:
                raise Refused("encoding_invalid", "the text holds zero bytes", number)
            try:
                text = decode(line)[0]
            except UnicodeDecodeError as error:
                raise Refused("encoding_invalid", f"{error.reason} as {error.encoding}", number) from error
            if must_end and text[-1] != "\n":
                raise Refused("truncated", "the last line has no end", number)
            if number - self.begins >= MAX_RECORD_LINES:
                raise Refused(
                    "record_too_long", f"a record has more than {MAX_RECORD_LINES} lines", self.begins
                )
            yield text if number > 1 else text.removeprefix("\ufeff")


def _decoder(encoding: str) -> Callable[[bytes], tuple[str, int]]:
    try:
        found = lookup("utf-8" if encoding.lower() == "utf-8-sig" else encoding)
    except LookupError as error:
        raise Refused("encoding_invalid", f"{encoding!r} is no encoding") from error
    if found.name not in _ENCODINGS:
        raise Refused("encoding_invalid", f"delimited text in {encoding} is not read")
    return found.decode


def text_lines(body: Body, *, encoding: str, must_end: bool = True) -> Iterator[tuple[int, str]]:
    """Yield the lines of a body with their numbers, for formats with lines that are no records.

    The byte order mark is taken away; line ends are not. Raises Refused as the module says.
    """
    text = _Text(body, encoding, must_end)
    for number, line in enumerate(text, start=1):
        text.begins = number + 1
        yield number, line


def records(body: Body, *, encoding: str, delimiter: str = ",", must_end: bool = True) -> Iterator[Record]:
    """Yield every record that is not blank: the line that it begins on (from 1), and its fields.

    `must_end` says that the writer always ends its last line, so that a file without that end was cut off.
    Fields are as they are written: blanks and tabs around them too. Raises Refused as the module says.
    """
    csv.field_size_limit(MAX_FIELD)
    text = _Text(body, encoding, must_end)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    begins = 1
    try:
        for row in reader:
            if row:
                yield begins, row
            begins = text.begins = reader.line_num + 1
    except csv.Error as error:
        raise _broken(str(error), begins) from error


def _broken(what: str, line_no: int) -> Refused:
    """What the csv module complains about; it has words for it, and no codes."""
    if "field limit" in what:
        return Refused("field_too_long", f"a field has more than {MAX_FIELD} characters", line_no)
    if "unexpected end of data" in what or "expected after" in what:
        return Refused("quote_unclosed", "a quote is not closed where its field ends", line_no)
    return Refused("delimiters_invalid", what, line_no)


def one_blank(name: str) -> str:
    """Return a name with single blanks, and none around it."""
    return " ".join(name.split())


class Columns:
    """The columns that a header names, in whatever order.

    `spelled` brings the spellings of a name to one: by default, blanks in and around it do not matter.
    """

    __slots__ = ("_places", "_spelled", "line_no", "width")

    def __init__(
        self, header: Sequence[str], line_no: int, spelled: Callable[[str], str] = one_blank
    ) -> None:
        self.line_no, self.width, self._spelled = line_no, len(header), spelled
        self._places: dict[str, int] = {}
        for place, written in enumerate(header):
            name = spelled(written)
            if name in self._places:
                raise Refused("column_twice", f"the column {name[:80]!r} is there twice", line_no)
            if name:
                self._places[name] = place

    def __contains__(self, name: str) -> bool:
        return self._spelled(name) in self._places

    def place(self, name: str) -> int:
        """Return where a column is. Raises Refused with `column_missing`."""
        try:
            return self._places[self._spelled(name)]
        except KeyError:
            raise Refused("column_missing", f"the column {name!r} is missing", self.line_no) from None

    def picker(self, needed: Sequence[str], optional: Sequence[str] = ()) -> Picker:
        """Return what takes these columns, in this order, out of a row that has one more field, an empty one.

        That field (`table` appends it) stands for the optional columns that are not there. There must be two
        columns or more. Raises Refused with `column_missing`.
        """
        places = [self.place(name) for name in needed]
        places += [self._places.get(self._spelled(name), -1) for name in optional]
        return itemgetter(*places)

    def check(self, row: Sequence[str], line_no: int) -> None:
        """Raise Refused with `fields_count` for a row that has not as many fields as the header."""
        if len(row) != self.width:
            raise Refused("fields_count", f"{len(row)} fields, where {self.width} are due", line_no)


def table(
    rows: Iterable[Record], columns: Columns, needed: Sequence[str], optional: Sequence[str] = ()
) -> Iterator[tuple[int, tuple[str, ...], list[str]]]:
    """Yield for every row its line, the named columns in their order, and all that it has (for `as_text`).

    An optional column that the header has not is empty. Raises Refused: `column_missing`, `fields_count`.
    """
    pick, width = columns.picker(needed, optional), columns.width
    for line_no, row in rows:
        if len(row) != width:
            columns.check(row, line_no)
        row.append("")
        yield line_no, pick(row), row


def header(rows: Iterator[Record], spelled: Callable[[str], str] = one_blank) -> Columns:
    """Return the columns that the next record names. Raises Refused with `header_missing` for no record."""
    found = next(rows, None)
    if found is None:
        raise Refused("header_missing", "the file is empty", 1)
    line_no, names = found
    return Columns(names, line_no, spelled)


def as_text(row: Sequence[str], delimiter: str = ",") -> str:
    """Return a row as one line of delimited text, for a person to read."""
    out = StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerow(row)
    return out.getvalue().removesuffix("\r\n")
