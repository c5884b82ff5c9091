"""From the declarations of the views to the document: the two places where drf-spectacular is extended."""

import inspect
from collections.abc import Mapping
from typing import Any, cast

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent

from core.api.event_types import events_told
from core.api.openapi import answers, requests
from core.api.openapi.inputs import refusals_of
from core.api.openapi.operation import Operation
from core.api.openapi.webhooks import webhooks_of
from core.api.schemas import Component
from core.api.serializers import StrictSerializer
from core.api.views import ApiView, PostOnceView
from core.errors import DomainError

__all__ = ["Description", "Generator"]


class Description(AutoSchema):
    """Describes one method of a view from what the view declares."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any] | None:
        """Return the operation object. Raises TypeError for a view that does not describe the method."""
        view = cast(ApiView, self.view)
        operation = view.operations.get(method)
        if operation is None:
            raise TypeError(f"{type(view).__name__} does not describe {method} in `operations`")
        named: dict[str, Any] = resolve(_described(view, method, operation, path), registry)
        return named


class Generator(SchemaGenerator):
    """Adds the events that stores receive to the document."""

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        """Return the whole document."""
        webhooks = resolve(webhooks_of(events_told()), self.registry)
        document: dict[str, Any] = super().get_schema(request, public)  # type: ignore[no-untyped-call]
        return document | {"webhooks": webhooks}


def resolve(value: Any, registry: ComponentRegistry) -> Any:
    """Return the value with every Component in it replaced by a reference to it, having registered it.

    Raises ValueError for two different components of one name.
    """
    if isinstance(value, Component):
        return _reference(value, registry)
    if isinstance(value, Mapping):
        return {key: resolve(item, registry) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(item, registry) for item in value]
    return value


def _reference(component: Component, registry: ComponentRegistry) -> dict[str, Any]:
    named = ResolvedComponent(  # type: ignore[no-untyped-call]
        name=component.name,
        type=component.kind,
        schema=resolve(component.schema, registry),
        object=component.name,
    )
    if named not in registry:
        registry.register(named)
    elif registry[named].schema != named.schema:
        raise ValueError(f"two different schemas are called {component.name}")
    reference: dict[str, Any] = dict(named.ref)
    return reference


def _described(view: ApiView, method: str, operation: Operation, path: str) -> dict[str, Any]:
    summary, _, rest = _doc(view, method).partition("\n")
    scope = view.scopes.get(method)
    body = _body(view, method, operation)
    is_once = isinstance(view, PostOnceView) and method == "POST"
    parameters = requests.path_parameters(operation, _names_in(path))
    if method == "GET":
        parameters += requests.query_parameters(operation, view.query_parameters)
    if isinstance(view, PostOnceView) and is_once:
        parameters += requests.header_parameters(is_key_required=view.is_key_required)
    if scope:
        parameters += requests.optional_headers(_of_authentication(view, "headers", {}))
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": summary.rstrip("."),
        "description": f"{rest.strip()}\n\n{_access(view, method)}".strip(),
        "tags": [scope.partition(":")[0] if scope else "about"],
        "parameters": parameters,
        "security": [{"api_key": [scope]}] if scope else [],
        "responses": answers.answers_of(
            operation, _errors(view, method, operation, body, path), is_once=is_once
        ),
    }
    if body is not None:
        described["requestBody"] = requests.body_of(body, operation.example)
    return described


def _doc(view: ApiView, method: str) -> str:
    """What the handler says of itself: of a POST that is done once, `work` is the handler."""
    name = "work" if method == "POST" and isinstance(view, PostOnceView) else method.lower()
    text = inspect.getdoc(getattr(view, name))
    if not text:
        raise TypeError(f"{type(view).__name__}.{name} has no docstring, which is its summary")
    return text


def _access(view: ApiView, method: str) -> str:
    scope = view.scopes.get(method)
    counted = f"Limited as a `{view.class_of(method)}` call."
    return f"Needs the scope `{scope}`. {counted}" if scope else "Needs no key."


def _body(view: ApiView, method: str, operation: Operation) -> type[StrictSerializer] | None:
    if operation.body is None and method == "POST" and isinstance(view, PostOnceView):
        return view.Input
    return operation.body


def _errors(
    view: ApiView, method: str, operation: Operation, body: type[StrictSerializer] | None, path: str
) -> set[type[DomainError]]:
    found = {*answers.ALWAYS, *operation.errors}
    if method in view.scopes:
        found.update(answers.WITH_SCOPE, _of_authentication(view, "refusals", ()))
    if _names_in(path):
        found.update(answers.WITH_PATH)
    if body is not None:
        found.update(answers.WITH_BODY, refusals_of(body))
    if isinstance(view, PostOnceView) and method == "POST":
        found.update(answers.WITH_KEY)
        if view.is_key_required:
            found.update(answers.WITH_NEEDED_KEY)
    return found


def _of_authentication(view: ApiView, name: str, default: Any) -> Any:
    """What the view's way to authenticate says of itself; a higher layer has it."""
    [way] = view.authentication_classes
    return getattr(way, name, default)


def _names_in(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]
