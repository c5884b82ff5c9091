"""Writing XML documents of ISO 20022."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring


def document(message: str, root: str) -> tuple[Element, Element]:
    """``Document`` of a message such as ``camt.053.001.08``, and its one child."""
    top = Element("Document", xmlns=f"urn:iso:std:iso:20022:tech:xsd:{message}")
    return top, SubElement(top, root)


def add(parent: Element, path: str, text: str | None = None, **attributes: str) -> Element:
    """Append the elements of a path such as ``Acct/Id/IBAN``, the last one with a text."""
    for name in path.split("/"):
        parent = SubElement(parent, name)
    parent.text = text
    for name, value in attributes.items():
        parent.set(name, value)
    return parent


def written(top: Element) -> str:
    """The document as a text."""
    indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(top, encoding="unicode") + "\n"
