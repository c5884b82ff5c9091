"""The examples of the description are true: they fit their schemas, and what they ask is done."""

from typing import Any

import pytest

from tests.openapi.contract import document, operations, validator
from tests.openapi.story import STORY, Teller
from tests.payments.conftest import Shop


def _examples(operation: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    found = []
    for each in operation["parameters"]:
        if "examples" in each["schema"]:
            found.append((each["name"], each["schema"], each["schema"]["examples"][0]))
    contents = [("body", operation.get("requestBody", {}))]
    contents += [(status, _followed(answer)) for status, answer in operation["responses"].items()]
    for name, part in contents:
        content = part.get("content", {}).get("application/json")
        if content is not None:
            found.append((name, content["schema"], content["example"]))
    return found


def _followed(answer: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in answer:
        return answer
    found: dict[str, Any] = document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return found


@pytest.mark.parametrize("operation_id", sorted(operations()))
def test_examples_fit_their_schemas(operation_id: str) -> None:
    examples = _examples(operations()[operation_id])
    assert examples
    for name, schema, example in examples:
        problems = [error.message for error in validator(schema).iter_errors(example)]
        assert not problems, f"{name}: {problems[0]}"


def test_webhooks_carry_objects_that_fit() -> None:
    for name, webhook in document()["webhooks"].items():
        content = webhook["post"]["requestBody"]["content"]["application/json"]
        problems = [error.message for error in validator(content["schema"]).iter_errors(content["example"])]
        assert not problems, f"{name}: {problems[0]}"


def test_every_example_is_done(shop: Shop) -> None:
    """In the order of a store's day; each answer is judged by the description, and none is a refusal."""
    teller = Teller(shop)
    for step in STORY:
        step(teller)
    assert teller.told == set(operations()), "tell the example of a new operation in tests/openapi/story.py"


def test_an_example_that_is_refused_is_noticed(shop: Shop) -> None:
    with pytest.raises(AssertionError, match="get_seller"):
        Teller(shop).tell("get_seller", reference="nobody")
