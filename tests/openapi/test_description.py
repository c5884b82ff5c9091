"""The description of the API is whole, valid, and about every view."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.http import HttpResponse
from django.urls import get_resolver
from drf_spectacular.plumbing import ComponentRegistry
from rest_framework.views import APIView

from core.api.error_catalogue import declared_errors
from core.api.openapi.description import Description, resolve
from core.api.schemas import TIME, shape
from core.api.views import ApiView
from tests.openapi.contract import broken_by, document, operations, validator


def _views(patterns: Any) -> Iterator[type[APIView]]:
    for each in patterns:
        if hasattr(each, "url_patterns"):
            yield from _views(each.url_patterns)
        elif issubclass(view := getattr(each.callback, "cls", object), APIView):
            yield view


VIEWS = sorted(set(_views(get_resolver().url_patterns)), key=lambda view: view.__name__)


def test_the_description_is_valid_without_a_warning() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=io.StringIO())


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_a_view_describes_every_method_that_it_answers(view: type[APIView]) -> None:
    assert issubclass(view, ApiView)
    answered = {name.upper() for name in view.http_method_names if hasattr(view, name)} - {"HEAD", "OPTIONS"}
    assert set(view.operations) == answered
    assert not view.scopes or set(view.scopes) == answered


def test_a_view_that_says_nothing_cannot_be_described() -> None:
    class Silent(ApiView):
        def get(self) -> None: ...

    view = Silent()
    view.schema = Description()
    view.schema.view = view
    with pytest.raises(TypeError, match="Silent does not describe GET"):
        view.schema.get_operation("/v1/silent", "", "", "GET", ComponentRegistry())


def test_operation_ids_are_unique_and_every_operation_has_words() -> None:
    listed = [each for methods in document()["paths"].values() for each in methods.values()]
    assert len({each["operationId"] for each in listed}) == len(listed) == len(operations())
    assert all(each["summary"] and each["tags"] for each in listed)
    tags = {tag["name"] for tag in document()["tags"]}
    assert {tag for each in listed for tag in each["tags"]} <= tags


def test_two_things_of_one_name_are_refused() -> None:
    registry = ComponentRegistry()
    resolve(shape("thing", "", {"at": TIME}), registry)
    resolve(shape("thing", "", {"at": TIME}), registry)
    with pytest.raises(ValueError, match="thing"):
        resolve(shape("thing", "", {"when": TIME}), registry)


def test_every_code_of_the_description_is_in_the_catalogue() -> None:
    known = {(error.status, error.code) for error in declared_errors()}
    found = set()
    for operation in operations().values():
        for status, answer in operation["responses"].items():
            for code in _codes(answer):
                found.add((int(status), code))
    assert found
    assert found <= known


def _codes(answer: dict[str, Any]) -> list[str]:
    if "$ref" in answer:
        answer = document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return (
        schema["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"] if "allOf" in schema else []
    )


def test_every_object_of_an_answer_is_closed() -> None:
    """A field that is added must be described before a client can depend on it."""
    for name, schema in document()["components"]["schemas"].items():
        if schema.get("type") == "object" and name not in ("metadata", "openapi_document"):
            assert schema["additionalProperties"] is False, name


def test_the_judge_sees_what_is_wrong() -> None:
    operation = operations()["get_seller"]

    def answer(status: int, body: bytes, kind: str = "application/json", **headers: str) -> str:
        response = HttpResponse(
            body, status=status, content_type=kind, headers={"Request-Id": "r", **headers}
        )
        return broken_by(operation, response) or ""

    assert "418" in answer(418, b"{}")
    assert "content type" in answer(200, b"{}", "text/plain")
    assert '"object" is a required property' in answer(200, b"{}")
    assert "WWW-Authenticate" in answer(401, b"{}")
    bare = HttpResponse(b"{}", content_type="application/json")
    assert broken_by(operation, bare) == "Request-Id: it is missing"
    refused = b'{"error": {"type": "t", "code": "seller_exists", "message": "m", "param": null,'
    refused += b' "doc_url": "https://x/", "request_id": "r"}}'
    assert "seller_exists" in answer(404, refused)
    assert answer(404, refused.replace(b"seller_exists", b"not_found")) == ""


def test_an_event_validates_against_its_webhook() -> None:
    schema = document()["webhooks"]["seller.created"]["post"]["requestBody"]["content"]["application/json"]
    assert not validator(schema["schema"]).is_valid({})


def test_every_event_says_what_it_means_and_whom_it_is_about() -> None:
    prefixes = {
        "payment": "pay_",
        "refund": "re_",
        "dispute": "dp_",
        "seller": "sel_",
        "destination": "dst_",
        "discrepancy": "dsc_",
        "payout": "po_",
        "top_up": "top_",
        "wallet": "rel_",
        "webhook_endpoint": "whe_",
    }
    told = document()["webhooks"]
    assert len(told) >= 20
    for name, webhook in told.items():
        content = webhook["post"]["requestBody"]["content"]["application/json"]
        assert content["example"]["subject"].startswith(prefixes[name.partition(".")[0]]), name
        assert content["example"]["subject"] == content["example"]["data"]["object"]["id"], name
        assert webhook["post"]["description"].partition("\n")[0].endswith("."), name
