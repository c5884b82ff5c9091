"""The description as a judge: whether an answer, or an event, is one of those that it describes."""

import json
import re
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema_rs
from django.http import HttpResponse

from core.api.schema_view import api_document
from core.models import OutboxEvent
from events.facts import event_data

__all__ = ["broken_by", "check_answer", "check_events", "document", "operations", "validator"]


@cache
def document() -> dict[str, Any]:
    """The description of the API, as it is served."""
    shown: dict[str, Any] = json.loads(json.dumps(api_document()))
    return shown


@cache
def operations() -> dict[str, dict[str, Any]]:
    """Every operation by its id, with `method` and `path` added."""
    return {
        operation["operationId"]: {**operation, "method": method.upper(), "path": path}
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }


def check_answer(method: str, path: str, response: HttpResponse) -> None:
    """Fail if the API's description does not allow the answer; other paths are not judged."""
    if (found := _operation(method, urlsplit(path).path)) is not None:
        problem = broken_by(found, response)
        assert problem is None, f"{method} {path}: {problem}\n{bytes(response.content[:2000])!r}"


def check_events() -> None:
    """Fail if a fact was stored that no webhook describes, or not in this shape."""
    for event in OutboxEvent.objects.order_by("id"):
        webhook = document()["webhooks"].get(event.type)
        assert webhook is not None, f"no webhook describes {event.type}"
        schema = webhook["post"]["requestBody"]["content"]["application/json"]["schema"]
        shown = json.loads(json.dumps(event_data(event).as_object()))
        problem = _broken_schema(schema, shown)
        assert problem is None, f"{event.type}: {problem}"


def broken_by(operation: dict[str, Any], response: HttpResponse) -> str | None:
    """Say in what the answer is none of those that the operation describes; None if it is one."""
    described = _followed(operation["responses"].get(str(response.status_code)))
    if described is None:
        return f"the status {response.status_code} is not described"
    for name, header in described.get("headers", {}).items():
        if problem := _broken_header(response.headers.get(name), _followed(header)):
            return f"{name}: {problem}"
    content = described.get("content")
    if content is None:
        return "a body where none is described" if response.content else None
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    if kind not in content:
        return f"the content type {kind} is not described"
    if kind != "application/json":
        return None
    return _broken_schema(content[kind]["schema"], json.loads(response.content))


def validator(schema: dict[str, Any]) -> Any:
    """What judges values by a schema of the document."""
    return _validator(json.dumps(schema))


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for described, methods in document()["paths"].items():
        if method.lower() in methods and _pattern(described).fullmatch(unquote(path)):
            return methods[method.lower()]
    return None


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))


def _followed(part: Any) -> Any:
    while part is not None and "$ref" in part:
        kind, name = part["$ref"].removeprefix("#/components/").split("/")
        part = document()["components"][kind][name]
    return part


def _broken_header(value: str | None, header: dict[str, Any]) -> str | None:
    if value is None:
        return "it is missing" if header.get("required") else None
    is_number = header["schema"].get("type") == "integer" and value.isdigit()
    return _broken_schema(header["schema"], int(value) if is_number else value)


def _broken_schema(schema: dict[str, Any], value: Any) -> str | None:
    for error in validator(schema).iter_errors(value):
        return f"{error.message} at {'/'.join(str(step) for step in error.instance_path)}"
    return None


@cache
def _validator(schema: str) -> Any:
    whole = {**json.loads(schema), "components": document()["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
