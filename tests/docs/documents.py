"""The documentation as tests read it: pages, fenced blocks, links and headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Block", "Link", "anchors", "blocks", "links", "pages", "runnable"]

ROOT = Path(__file__).resolve().parents[2]
RUNNABLE = "<!-- runnable -->\n"
_FENCE = re.compile(r"^( *)```([a-z]*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and whether it says that it can be typed as it stands."""

    page: Path
    language: str
    text: str
    is_runnable: bool


@dataclass(frozen=True)
class Link:
    """What a page points at: a path beside it, and a heading there or nothing."""

    page: Path
    path: str
    anchor: str


def pages() -> list[Path]:
    """Every page that people read."""
    return [ROOT / "README.md", ROOT / "examples" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text()
    for found in _FENCE.finditer(text):
        yield Block(page, found[2], found[3], text[: found.start()].endswith(RUNNABLE))


def runnable() -> list[Block]:
    """The blocks that are typed against a running system, page by page."""
    return [block for page in pages() for block in blocks(page) if block.is_runnable]


def links(page: Path) -> Iterator[Link]:
    """What a page points at within the repository."""
    for target in _LINK.findall(_FENCE.sub("", page.read_text())):
        path, _, anchor = target.partition("#")
        if "://" not in target and not target.startswith("mailto:"):
            yield Link(page, path, anchor)


def anchors(page: Path) -> set[str]:
    """The names of a page's headings in addresses, as GitHub makes them."""
    return {_slug(heading) for heading in _HEADING.findall(_FENCE.sub("", page.read_text()))}


def _slug(heading: str) -> str:
    bare = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", bare.strip().lower()).replace(" ", "-")
