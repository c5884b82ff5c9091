"""The fields of SWIFT category 9 messages, as banks write them to files (SWIFT Standards MT).

A field is `:61:` and the lines up to the next one. Around messages stand block headers, lines of the bank's
own software, control characters and nothing at all: layout, which means nothing. Between `:20:` and the end
of a message every line belongs to a field.
"""

from collections.abc import Iterator
from re import compile as pattern
from typing import BinaryIO, NamedTuple

from reconciliation.formats.contract import Refused

__all__ = ["END", "Field", "fields", "joined_details"]

END = "-"
_KNOWN = frozenset(
    {
        "13", "13D", "20", "21", "25", "25P", "28", "28C", "34F", "60F", "60M", "61", "62F", "62M", "64",
        "65", "86", "90C", "90D", "NS",
    }
)  # fmt: skip
_TAG = pattern(r":(\d\d[A-Z]?|NS):")
_LINE_BYTES_MAX = 8 * 1024
_FIELD_CHARACTERS_MAX = 64 * 1024
_DETAIL_LINES_MAX = 100
# What frames a message on the wire: start of heading, start of text, end of text.
_FRAMES = "\x01\x02\x03"
_BOM = "\ufeff"


class Field(NamedTuple):
    """A field, or with tag END the end of a message, which has a line where the bank marked it.

    `line` is where the first of its lines is in the file.
    """

    tag: str
    lines: tuple[str, ...]
    line: int


def fields(body: BinaryIO, encoding: str, *, last: frozenset[str]) -> Iterator[Field]:
    """Yield the fields of all messages, each message followed by an END.

    `last` are the tags after which a line that begins with a dash ends the message; before them it may be a
    text that was wrapped badly. `-}` always does. A message without an end is over where the next begins.

    Raises Refused: `encoding_invalid`, `line_too_long`, `order_invalid` (a field outside a message, or one
    that no such message has), `truncated` (the last line is not whole).
    """
    found: Field | None = None
    texts: list[str] = []
    is_over, size = False, 0
    for text, line in _lines(body, encoding):
        tag = _tag_of(text, found, line)
        ends = text.startswith(("-}", "{1:")) or (text.startswith("-") and is_over)
        if tag or (ends and found):
            if found:
                yield Field(found.tag, tuple(texts), found.line)
            if found and (ends or tag == "20"):
                yield Field(END, (text,) if ends else (), line)
            found, texts, size = (Field(tag, (), line) if tag else None), [], 0
            is_over = tag in last or (is_over and tag != "20")
            text = text[len(tag) + 2 :]
        if found:
            size += len(text)
            if size > _FIELD_CHARACTERS_MAX:
                raise Refused("line_too_long", f"field :{found.tag}: does not end", line)
            texts.append(text)
    if found:
        yield Field(found.tag, tuple(texts), found.line)
        yield Field(END, (), found.line + len(texts))


def joined_details(before: tuple[str, ...], field: Field) -> tuple[str, ...]:
    """Return the lines of the `:86:` fields of one entry, which some banks repeat. Raises Refused."""
    if len(before) > _DETAIL_LINES_MAX:
        raise Refused("line_too_long", "the fields :86: of an entry do not end", field.line)
    return before + field.lines


def _tag_of(text: str, within: Field | None, line: int) -> str:
    """The tag that a line begins with; empty for a line of the field before, or of the layout."""
    match = _TAG.match(text)
    if match is None:
        return ""
    tag = match[1]
    if tag not in _KNOWN:
        if within is None or within.tag in {"61", "86"}:
            return ""  # a text may begin like this
        raise Refused("order_invalid", f"field :{tag}: is none of such a message", line)
    if within is None and tag != "20":
        raise Refused(
            "order_invalid", f"field :{tag}: stands outside a message, which begins with :20:", line
        )
    return tag


def _lines(body: BinaryIO, encoding: str) -> Iterator[tuple[str, int]]:
    line = 0
    while raw := body.readline(_LINE_BYTES_MAX + 1):
        line += 1
        if len(raw) > _LINE_BYTES_MAX:
            raise Refused("line_too_long", f"the line has more than {_LINE_BYTES_MAX} bytes", line)
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError as error:
            raise Refused("encoding_invalid", f"the line is not {encoding}: {error.reason}", line) from error
        if line == 1:
            text = text.removeprefix(_BOM)
        content = text.rstrip("\r\n").strip(_FRAMES)
        if not text.endswith("\n") and not content.startswith("-"):
            raise Refused("truncated", "the last line of the file is not whole", line)
        yield content, line
