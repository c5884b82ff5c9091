"""Reading XML that somebody else wrote: in a stream, without DTDs and entities, bounded, by local names."""

from collections.abc import Collection, Iterator
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

__all__ = ["MAX_FILE_BYTES", "BadFile", "stream", "text_at"]

MAX_FILE_BYTES = 20 * 1024 * 1024
_DEEPEST = 64


class BadFile(Exception):
    """It is not a file of this kind, or it contradicts itself. The text says what is wrong, and no more."""


def stream(content: bytes, *, root: str, wanted: Collection[str]) -> Iterator[Element]:
    """Yield every element of a wanted name when it is complete, its names without namespaces.

    `root` is the child of `Document` that says what kind of message it is, whatever its version. What was
    yielded is emptied afterwards, so that a long file takes little more memory than its largest wanted part.
    Raises BadFile: too long, no XML, a DTD or an entity, another kind of message.
    """
    if len(content) > MAX_FILE_BYTES:
        raise BadFile(f"the file has more than {MAX_FILE_BYTES} bytes")
    open_names: list[str] = []
    try:
        for event, element in iterparse(BytesIO(content), events=("start", "end"), forbid_dtd=True):
            if event == "start":
                element.tag = element.tag.rpartition("}")[2]
                open_names.append(element.tag)
                if len(open_names) > _DEEPEST:
                    raise BadFile("elements are nested too deeply")
                if len(open_names) <= 2 and element.tag != ("Document", root)[len(open_names) - 1]:
                    raise BadFile(f"the file is no {root}")
                continue
            open_names.pop()
            if element.tag in wanted:
                yield element
                element.clear()
    except DefusedXmlException as error:
        raise BadFile(f"the file declares what is not allowed: {type(error).__name__}") from error
    except (ParseError, ValueError, LookupError) as error:
        raise BadFile(f"the file is no XML: {error}") from error


def text_at(element: Element, path: str) -> str:
    """Return the text at a path such as `Amt/InstdAmt`, without surrounding space; empty if there is none."""
    found = element.find(path)
    return "" if found is None else (found.text or "").strip()
