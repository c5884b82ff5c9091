"""Form bodies with nested keys, as the SDK writes them: ``a[b]=1``, ``list[0]=x``, ``list[]=y``."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl


class FormError(ValueError):
    """The form cannot be read; the message names the key."""


def decode_form(text: str) -> dict[str, Any]:
    """Decode a form into nested dictionaries and lists; the leaves are strings.

    Keys below a ``metadata`` stay a dictionary even when they all look like numbers.
    """
    root: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        if "[" not in key:
            root[key] = value
            continue
        head, *rest = key.replace("]", "").split("[")
        _place(root, [head, *rest], value, key)
    for name, value in root.items():
        if name != "metadata" and isinstance(value, dict):
            root[name] = _lists(value)
    return root


def _place(node: dict[str, Any], path: list[str], value: str, key: str) -> None:
    for part in path[:-1]:
        child = node.setdefault(part, {})
        if not isinstance(child, dict):
            raise FormError(f"Parameter {key} is given both as a value and as an object")
        node = child
    last = path[-1]
    node[last if last else str(len(node))] = value


def _lists(node: dict[str, Any]) -> Any:
    values = {
        name: _lists(value) if isinstance(value, dict) and name != "metadata" else value
        for name, value in node.items()
    }
    if values and all(name.isdigit() for name in values):
        return [values[name] for name in sorted(values, key=int)]
    return values
