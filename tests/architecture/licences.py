"""The licences of what is installed at run time, read from the packages' own metadata."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# GPL and AGPL in any spelling; LGPL is let through, because linking to it asks nothing of us.
COPYLEFT = re.compile(r"(?i)(?<!l)(?:a?gpl)|affero|gnu general public")
LESSER = re.compile(r"(?i)lgpl[\w.+-]*|(?:gnu )?(?:lesser|library) (?:gnu )?general public licen[cs]e[^;,)]*")


def requirements(path: Path) -> Iterator[Requirement]:
    """Yield the requirements of a pip file, those of the files it includes too."""
    for raw in path.read_text().split("\n"):
        line = raw.split(" #")[0].strip()
        if line.startswith("-r "):
            yield from requirements(path.parent / line[3:].strip())
        elif line and not line.startswith(("#", "-")):
            yield Requirement(line)


def closure(wanted: Iterator[Requirement]) -> dict[str, Distribution]:
    """Return every installed distribution that the requirements need, by canonical name."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    open_ones = [
        requirement for requirement in wanted if requirement.marker is None or requirement.marker.evaluate()
    ]
    while open_ones:
        requirement = open_ones.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found[name] = distribution(requirement.name)
        except PackageNotFoundError as error:
            raise AssertionError(f"{requirement} is required and not installed") from error
        for text in found[name].requires or []:
            needed = Requirement(text)
            contexts = [{"extra": extra} for extra in extras] or [{"extra": ""}]
            if needed.marker is None or any(needed.marker.evaluate(context) for context in contexts):
                open_ones.append(needed)
    return found


# Packages whose text leaves a choice that their classifiers only list: what we choose, in one expression.
CHOICES = {"text-unidecode": "Artistic-1.0-Perl OR GPL-1.0-or-later"}


def stated(package: Distribution) -> list[str]:
    """Return what a package says of its licence: expression, classifiers, or the first line of the text."""
    data = package.metadata
    if choice := CHOICES.get(canonicalize_name(data["Name"])):
        return [choice]
    said = [data.get("License-Expression") or "", (data.get("License") or "").strip().split("\n")[0]]
    said += [line for line in data.get_all("Classifier") or [] if line.startswith("License ::")]
    return [line for line in said if line and line.upper() != "UNKNOWN"]


def is_copyleft(statements: list[str]) -> bool:
    """Say whether the statements leave no choice but GPL or AGPL; `A OR GPL` leaves the choice of A."""
    for statement in statements:
        choices = re.split(r"(?i)\s+or\s+(?!later)|;", statement)
        if all(COPYLEFT.search(LESSER.sub("", choice)) for choice in choices):
            return True
    return False
