"""Reading XML that somebody else wrote: in a stream, without DTDs and entities, bounded, by local names.

defusedxml forbids what is hostile in the language. What is hostile in size is refused here: depth, the length
of a text, of a tag, and how much stands in a part that is not given away yet. So a file of any length takes
little more memory than its largest part.
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple
from xml.etree.ElementTree import Element
from xml.parsers.expat import ExpatError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from reconciliation.formats.contract import Refused

__all__ = ["Parts", "Step", "steps", "text_at"]

_CHUNK_BYTES = 64 * 1024
_DEEPEST = 64
_TEXT_MAX = 64 * 1024
# A start tag, a comment: the parser has to hold it whole.
_TOKEN_BYTES_MAX = 1024 * 1024
# What one part may consist of before it is given away, and how many names a file may know.
_ELEMENTS_MAX = 20_000
_CHARACTERS_MAX = 2 * 1024 * 1024
_NAMES_MAX = 2_000
_NAME_MAX = 300

# The elements that are given away one by one, each with those inside it; "*" stands for any name.
Parts = Mapping[str, "Parts"]


class Step(NamedTuple):
    """A part began, or ended.

    At the beginning `element` is empty; when the next step arrives, it holds what stands before its first
    part. At the end it is what stands behind that part, or all of it, if it has none. Parts are in neither.
    `name` has no namespace; the tag of `element` is `namespace}name`. `line` is where the step is.
    """

    is_end: bool
    name: str
    element: Element
    line: int


def steps(body: BinaryIO, parts: Parts, *, skipped: frozenset[str] = frozenset()) -> Iterator[Step]:
    """Yield the beginnings and ends of the parts of a document, whose root part may be in an envelope.

    What is inside elements of a `skipped` name is checked and left out. Raises Refused: `xml_invalid`,
    `truncated` (it ends too early), `xml_forbidden` (a DTD, an entity), `xml_too_large` (deeper, longer or
    more in one part than any honest file has), `encoding_invalid`.
    """
    parser = DefusedXMLParser(target=object(), forbid_dtd=True).parser
    parser.DefaultHandlerExpand = None
    builder = _Builder(parser, parts, skipped)
    fed, chunk = 0, b"-"
    while chunk:
        chunk = body.read(_CHUNK_BYTES)
        _parse(parser, chunk)
        fed += len(chunk)
        if fed - max(parser.CurrentByteIndex, 0) > _TOKEN_BYTES_MAX and chunk:
            raise Refused("xml_too_large", "a tag or a comment does not end", parser.CurrentLineNumber)
        yield from builder.taken()


def _parse(parser: Any, chunk: bytes) -> None:
    try:
        parser.Parse(chunk, not chunk)
    except DefusedXmlException as error:
        raise Refused(
            "xml_forbidden",
            f"the file declares what is not allowed: {type(error).__name__}",
            parser.CurrentLineNumber,
        ) from error
    except ExpatError as error:
        code = "xml_invalid" if chunk else "truncated"
        raise Refused(code, f"the file is no XML: {str(error)[:100]}", error.lineno) from error
    except (ValueError, LookupError) as error:
        raise Refused("encoding_invalid", f"the file cannot be read in its encoding: {error}") from error


class _Frame:
    """An element that is open: what was built of it, and which of its children are parts."""

    __slots__ = ("before", "element", "had_parts", "is_part", "name", "parts")

    def __init__(self, name: str, element: Element, parts: Parts | None, before: tuple[int, int]) -> None:
        self.name, self.element, self.parts, self.before = name, element, parts or {}, before
        self.is_part, self.had_parts = parts is not None, False


class _Builder:
    """Makes light trees out of what the parser calls, and steps out of those."""

    def __init__(self, parser: Any, parts: Parts, skipped: frozenset[str]) -> None:
        self._parser, self._parts, self._skipped = parser, parts, skipped
        self._frames: list[_Frame] = []
        self._steps: list[Step] = []
        self._names: dict[str, str] = {}
        self._text: list[str] = []
        self._text_size = self._depth = self._outside = 0
        self._elements = self._characters = 0
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._data
        parser.StartNamespaceDeclHandler = self._namespace

    def taken(self) -> list[Step]:
        """Return the steps since the last call."""
        taken, self._steps = self._steps, []
        return taken

    def _start(self, tag: str, attributes: list[str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._too_large("elements are nested too deeply")
        name = self._names.get(tag) or self._known(tag)
        self._text.clear()
        self._text_size = 0
        frames = self._frames
        if self._outside or (not frames and name not in self._parts) or name in self._skipped:
            # Of an envelope the inside is looked at, of what is skipped it is not.
            self._outside += bool(frames)
            return
        above = frames[-1] if frames else None
        known = above.parts if above else self._parts
        parts = known.get(name, known.get("*"))
        frame = _Frame(name, Element(tag if parts is not None else name), parts, self._spent())
        self._elements += 1
        for at in range(0, len(attributes), 2):
            self._known(attributes[at])
            self._characters += len(attributes[at + 1])
            frame.element.set(attributes[at], attributes[at + 1])
        if self._elements > _ELEMENTS_MAX or self._characters > _CHARACTERS_MAX:
            raise self._too_large(f"too much stands in one {frames[0].name if frames else name}")
        if frame.is_part:
            if above and not above.had_parts:
                above.had_parts, above.element = True, Element(above.element.tag)
            self._steps.append(Step(False, name, frame.element, self._parser.CurrentLineNumber))
        elif above:
            above.element.append(frame.element)
        frames.append(frame)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        frames = self._frames
        if self._outside:
            self._outside -= 1
            return
        if not frames:
            return
        frame = frames.pop()
        if not len(frame.element) and self._text:
            frame.element.text = "".join(self._text)
            self._characters += self._text_size
        self._text.clear()
        self._text_size = 0
        if frame.is_part:
            self._elements, self._characters = frame.before
            self._steps.append(Step(True, frame.name, frame.element, self._parser.CurrentLineNumber))

    def _data(self, text: str) -> None:
        self._text_size += len(text)
        if self._text_size > _TEXT_MAX:
            raise self._too_large("a text is too long")
        if self._frames and not self._outside:
            self._text.append(text)

    def _namespace(self, prefix: str | None, uri: str | None) -> None:
        self._known(prefix or "")
        self._known(uri or "")

    def _known(self, name: str) -> str:
        """Return a name without its namespace. The parser keeps every name, so that they are counted."""
        known = self._names.get(name)
        if known is None:
            if len(name) > _NAME_MAX or len(self._names) >= _NAMES_MAX:
                raise self._too_large("too many names, or too long ones")
            known = self._names[name] = name.rpartition("}")[2]
        return known

    def _spent(self) -> tuple[int, int]:
        return self._elements, self._characters

    def _too_large(self, why: str) -> Refused:
        return Refused("xml_too_large", why, self._parser.CurrentLineNumber)


def text_at(element: Element, path: str) -> str:
    """Return the text at a path such as `Amt/InstdAmt`, without surrounding space; empty if there is none."""
    found = element.find(path)
    return "" if found is None else (found.text or "").strip()
