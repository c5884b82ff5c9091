"""The description of the API as a page to read: docs/reference/api.md."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["as_markdown"]

_HEADER = """# API

{about}

The same as OpenAPI 3.1, with every status and example: `GET /v1/schema` (`?format=yaml`), to try at `/docs`,
to read at `/docs/redoc`. Every error code is explained in [errors.md](errors.md).

This page is written by `manage.py document_api`.

"""
_EVENTS = """## Event types

Sent to webhook endpoints: `{"object": "event", "id", "type", "sequence", "subject", "occurred_at", "data":
{"object": …}}`. `sequence` counts the events of one subject from 1; the object is as it was then.

| event | what it says | its object |
|---|---|---|"""
_LONGEST_CHOICE = 12
# From here on a bound says how numbers are stored, and nothing to who sends or reads one.
_NO_BOUND = 2**31 - 1
Document = Mapping[str, Any]


def as_markdown(document: Document) -> str:
    """Return the page of a description."""
    parts = [_HEADER.format(about=document["info"]["description"])]
    for tag in document["tags"]:
        operations = list(_tagged(document["paths"], tag["name"]))
        if operations:
            parts.append(f"## {tag['name'].capitalize()}\n\n{tag['description']}\n\n")
            parts += [_operation(document, *each) for each in operations]
    parts.append(_events(document))
    parts.append("## Objects\n\nIn answers and events every field is always there.\n\n")
    parts += [_object(name, document["components"]["schemas"][name]) for name in _shown(document)]
    return "".join(parts).rstrip() + "\n"


def _tagged(paths: Document, tag: str) -> Iterator[tuple[str, str, Document]]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield method.upper(), path, operation


def _operation(document: Document, method: str, path: str, operation: Document) -> str:
    lines = [f"### {operation['summary']}", "", f"`{method} {path}`", "", operation["description"], ""]
    if operation["parameters"]:
        lines += ["| parameter | in | what |", "|---|---|---|"]
        lines += [_parameter(each) for each in operation["parameters"]]
        lines.append("")
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        needed = "Body" if operation["requestBody"]["required"] else "Body, which may be left out"
        lines += [f"{needed}:", "", *_fields(_named(document, schema)), ""]
    lines += [_answer(operation["responses"]), "", _refusals(document, operation["responses"]), ""]
    return "\n".join(lines) + "\n"


def _parameter(parameter: Document) -> str:
    needed = ", required" if parameter["required"] and parameter["in"] != "path" else ""
    what = _joined(parameter["description"], _kind(parameter["schema"]))
    return f"| `{parameter['name']}` | {parameter['in']}{needed} | {what} |"


def _answer(responses: Document) -> str:
    status, answer = next(iter(responses.items()))
    kinds = [
        _kind(content["schema"]) if kind == "application/json" else f"`{kind}`"
        for kind, content in answer.get("content", {}).items()
    ]
    return f"Answers {status}{' with ' if kinds else ', without a body'}{' or '.join(kinds)}."


def _refusals(document: Document, responses: Document) -> str:
    """The codes of 404, 409 and 422, which are of the operation itself, and how many others there are."""
    codes = [
        f"`{code}` ({status})"
        for status, answer in responses.items()
        if status in ("404", "409", "422")
        for code in _codes(document, answer)
    ]
    others = [status for status in responses if status not in ("404", "409", "422") and int(status) >= 400]
    return f"Refuses with {', '.join(codes)}; also {', '.join(others)}."


def _codes(document: Document, answer: Document) -> list[str]:
    if "$ref" in answer:
        answer = document["components"]["responses"][_name(answer["$ref"])]
    only = answer["content"]["application/json"]["schema"]["allOf"][1]
    codes: list[str] = only["properties"]["error"]["properties"]["code"]["enum"]
    return codes


def _events(document: Document) -> str:
    rows = []
    for name, webhook in document["webhooks"].items():
        event = _named(document, webhook["post"]["requestBody"]["content"]["application/json"]["schema"])
        carried = event["properties"]["data"]["properties"]["object"]
        rows.append(f"| `{name}` | {event['description']} | {_kind(carried)} |")
    return "\n".join([_EVENTS, *rows, "", ""])


def _shown(document: Document) -> list[str]:
    """What others refer to; events differ in their type alone, and every list is like every other."""
    events = {"event_" + name.replace(".", "_") for name in document["webhooks"]}
    return [
        name
        for name in document["components"]["schemas"]
        if name not in events and not name.endswith("_list")
    ]


def _object(name: str, schema: Document) -> str:
    parts = [f"### {name}", "", *_paragraph(schema.get("description", ""))]
    if "properties" in schema:
        parts += [*_fields(schema), ""]
    elif "pattern" in schema:
        parts += [f"`{schema['pattern']}`", ""]
    elif "maxProperties" in schema:
        parts += [_bounds_of_notes(schema), ""]
    elif "oneOf" in schema:
        parts += [*(f"- {_kind(each)}" for each in schema["oneOf"]), ""]
    return "\n".join(parts) + "\n"


def _paragraph(text: str) -> list[str]:
    return [text, ""] if text else []


def _fields(schema: Document) -> list[str]:
    if not schema.get("properties"):
        return ["An empty object."]
    required = schema.get("required", [])
    rows = ["| field | required | what |", "|---|---|---|"]
    for name, field in schema["properties"].items():
        what = _joined(field.get("description", ""), _kind(field))
        rows.append(f"| `{name}` | {'yes' if name in required else 'no'} | {what} |")
    return rows


def _joined(about: str, kind: str) -> str:
    return f"{about} {kind}".strip().replace("\n", " ")


def _kind(schema: Document) -> str:
    """Say in a word or two what a value is."""
    if "$ref" in schema:
        name = _name(schema["$ref"])
        # Lists are all alike and have no heading of their own: see `_shown`.
        item = name.removesuffix("_list")
        return f"{'a page of ' if item != name else ''}[{item}](#{item.lower()})"
    if "allOf" in schema:
        return _kind(schema["allOf"][0])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(each) for each in schema["anyOf"]))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema and len(schema["enum"]) <= _LONGEST_CHOICE:
        return " ".join(f"`{value}`" for value in schema["enum"] if value is not None)
    if schema.get("type") == "array":
        return f"list{_items(schema)} of {_kind(schema['items'])}"
    if "properties" in schema:
        return "object of " + ", ".join(_inner(name, each) for name, each in schema["properties"].items())
    kinds = schema.get("type", "value")
    return " or ".join(_bounded(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _inner(name: str, schema: Document) -> str:
    """A field of an object that has no table of its own, with its only value where it has but one."""
    return f"`{name}`" + (f" (`{schema['const']}`)" if "const" in schema else "")


def _bounded(kind: str, schema: Document) -> str:
    """A plain type with what it is bound by."""
    if kind == "string" and "maxLength" in schema:
        return f"string of {_range(schema.get('minLength', 0), schema['maxLength'])} characters"
    if kind == "string" and "format" in schema:
        return f"string ({schema['format']})"
    if kind == "integer" and "maximum" in schema:
        usual = f", {schema['default']} if left out" if "default" in schema else ""
        most = "" if schema["maximum"] >= _NO_BOUND else f" to {schema['maximum']}"
        return f"integer from {schema['minimum']}{most}{usual}"
    return kind


def _items(schema: Document) -> str:
    if "maxItems" not in schema:
        return ""
    return f" ({_range(schema.get('minItems', 0), schema['maxItems'])})"


def _bounds_of_notes(schema: Document) -> str:
    names, values = schema["propertyNames"], schema["additionalProperties"]
    return (
        f"At most {schema['maxProperties']} keys of {_range(names['minLength'], names['maxLength'])}"
        f" characters, each with a string of at most {values['maxLength']}."
    )


def _range(least: int, most: int) -> str:
    return f"{least} to {most}" if least else f"at most {most}"


def _named(document: Document, schema: Document) -> Document:
    found: Document = document["components"]["schemas"][_name(schema["$ref"])]
    return found


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]
