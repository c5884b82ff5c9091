"""What a body may say and nothing else (A-E4), generated from the input objects and from all models."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from rest_framework.fields import empty

from core.api.error_catalogue import declared_errors, project_apps
from core.api.errors import UnknownField
from core.api.fields import StrictListField
from core.api.serializers import StrictSerializer
from core.errors import DomainError
from tests.api.objects import INPUTS
from tests.api.table import ROUTES
from tests.api.world import World, fingerprint, open_world
from tests.store import error

# What no column is called and somebody may still try.
INTERNAL = {
    "object",
    "merchant",
    "mode",
    "scopes",
    "approved_by",
    "fee",
    "captured",
    "timeline",
    "psp",
    "__class__",
}

Place = tuple[str | int, ...]


def columns() -> set[str]:
    """Every column of every model of the product, under both of its names."""
    ours = {name.split(".")[0] for name in project_apps()}
    models = [model for model in apps.get_models() if model._meta.app_label in ours]
    return {
        name for model in models for each in model._meta.concrete_fields for name in (each.name, each.attname)
    }


def objects(reader: Any, place: Place = ()) -> Iterator[tuple[Place, StrictSerializer]]:
    """Yield every input object inside of one, itself first, with the place where it stands in a body."""
    if isinstance(reader, StrictListField):
        yield from objects(reader.child, (*place, 0))
    elif isinstance(reader, StrictSerializer):
        yield place, reader
        for name, field in reader.fields.items():
            yield from objects(field, (*place, name))


def bodies() -> list[Any]:
    return [
        (route, method, call)
        for route in ROUTES
        for method, call in route.calls.items()
        if call.reads is not None
    ]


def test_every_input_object_of_the_product_is_tried() -> None:
    """A-E4: a new input object is found here, or its route is not in the table."""
    list(declared_errors())  # Imports every module of the product.
    defined, waiting = set(), [StrictSerializer]
    while waiting:
        each = waiting.pop().__subclasses__()
        waiting += each
        defined |= {kind for kind in each if not kind.__module__.startswith("tests.")}
    tried = {type(each) for _, _, call in bodies() for _, each in objects(call.reads())}
    assert defined - tried == set(), "name the input object as `reads` of a call in tests/api/table.py"


def test_no_input_object_has_a_field_for_any_other_column_a_e4() -> None:
    """A-E4: every column of every model, in every object of a body, is refused unless it is documented."""
    names = columns() | INTERNAL
    assert {"merchant_id", "kyc_status", "captured_minor", "risk_decision", "psp_token"} <= names
    for route, method, call in bodies():
        for place, reader in objects(call.reads()):
            kind = type(reader).__name__
            assert kind in INPUTS, (
                f"document {kind} in INPUTS of tests/api/objects.py: {' '.join(reader.fields)}"
            )
            documented = set(INPUTS[kind].split())
            assert set(reader.fields) == documented, (kind, documented ^ set(reader.fields))
            for name in names - documented:
                assert refused(reader, name), (route.pattern, method, place, name)


def refused(reader: StrictSerializer, name: str) -> bool:
    """Say whether an input object refuses a field because it knows none of that name."""
    try:
        reader.to_internal_value({name: "1"})
    except UnknownField:
        return True
    except DomainError:
        return False
    return False


@pytest.fixture
def ours(db: None, settings: Any) -> World:
    settings.INLINE_REGISTRATIONS = 0
    return open_world()


def test_a_body_that_says_more_changes_nothing_a_e4(ours: World) -> None:
    """A-E4: over HTTP, in a body that is good but for one field, at every place of it."""
    before = fingerprint()
    for route, method, call in bodies():
        path = route.path(*(ours.ids[kind] for kind in route.ids))
        for place, reader in objects(call.reads()):
            for name in (
                "merchant_id",
                "status",
                "id",
                "created_at",
                "captured_minor",
                "kyc_status",
                "is_payment_done",
            ):
                if name in reader.fields:
                    continue
                body = copy.deepcopy(call.body(ours))
                if (inside := _object_at(body, place)) is empty:
                    continue
                inside[name] = "1"
                answer = ours.store.request(method, path, body, key="k" if method == "POST" else None)
                assert error(answer) == (422, "unknown_field", _path((*place, name))), (route.pattern, place)
    assert fingerprint() == before


def test_the_good_bodies_hold_every_object(ours: World) -> None:
    """Otherwise the test above would pass over some."""
    for route, method, call in bodies():
        for place, _ in objects(call.reads()):
            assert _object_at(call.body(ours), place) is not empty, (route.pattern, method, place)


def _object_at(body: Any, place: Place) -> Any:
    for step in place:
        if isinstance(body, dict) and step not in body:
            return empty
        body = body[step]
    return body


def _path(place: Place) -> str:
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
