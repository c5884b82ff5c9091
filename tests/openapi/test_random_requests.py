"""Whatever is asked of whatever operation, the answer is one that the description promises, and no 500.

Cases are drawn from the description with a seed that is printed: good ones, bad ones and rubbish. Each is
sent as nobody, as a key that may only read, and as a key that may do everything.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from hypothesis import given, seed
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation

from merchants.api.views import SellerDetail
from tests.openapi.asking import (
    CHECKS,
    Role,
    good_or_bad,
    open_roles,
    operations_of,
    rubbish,
    send_rubbish,
)
from tests.openapi.contract import check_answer, operations
from tests.stateful.effort import examples, rounds

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]

REQUESTS = rounds(few=5_000, many=100_000)
KINDS = 3
# Some strategies have fewer cases to give than they are asked for.
SPARE = 1.06


@pytest.fixture
def counted(settings: Any, request: pytest.FixtureRequest) -> Iterator[Counter[int]]:
    """How often each status was answered; nothing leaves this process."""
    settings.INLINE_REGISTRATIONS = 0
    counts: Counter[int] = Counter()
    yield counts
    print(f"{counts.total()} requests answered: {dict(sorted(counts.items()))}")


@pytest.fixture
def drawn_from(request: pytest.FixtureRequest) -> int:
    """The seed: the one that was given, or a new one; pytest shows it with a failure."""
    given_seed = request.config.getoption("--hypothesis-seed")
    number = int(given_seed) if given_seed else secrets.randbelow(2**32)
    print(f"The same again: --hypothesis-seed={number}")
    return number


def test_every_answer_is_described(counted: Counter[int], drawn_from: int) -> None:
    with transaction.atomic():
        roles = open_roles()
    found = operations_of()
    each = int(REQUESTS * SPARE / (len(found) * len(roles) * KINDS)) + 1
    known: list[str] = ["ann", "bob"]
    broken: list[str] = []
    for operation in found:
        for ask in _ways_to_ask(operation, roles, known, counted):
            try:
                seed(drawn_from)(examples(few=each, many=each)(ask))()
            except (AssertionError, FailureGroup) as error:
                broken.append(f"{operation.label}: {_told(error)}")
    assert not broken, "\n\n".join(broken)
    assert counted.total() >= REQUESTS
    assert {200, 201, 400, 401, 403, 404, 422} <= set(counted)
    assert not [status for status in counted if status >= 500]


def _fails() -> HttpResponse:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    "answer",
    [
        _fails,
        lambda: HttpResponse(status=418),
        lambda: HttpResponse(b"{}", content_type="application/json"),
        lambda: HttpResponse(b"{}", content_type="text/plain"),
    ],
    ids=["500", "status", "schema", "content type"],
)
def test_control_another_answer_is_found_out(answer: Callable[[], HttpResponse], monkeypatch: Any) -> None:
    with transaction.atomic():
        roles = open_roles()
    operation = next(each for each in operations_of() if each.label == "GET /v1/sellers/{reference}")
    case = operation.Case(path_parameters={"reference": "ann"})
    case.validate_response(case.call(headers=roles[-1]), checks=CHECKS)
    monkeypatch.setattr(SellerDetail, "get", lambda self, request, reference: answer())
    with pytest.raises(FailureGroup):
        case.validate_response(case.call(headers=roles[-1]), checks=CHECKS)


def _ways_to_ask(
    operation: APIOperation, roles: list[Role], known: list[str], counted: Counter[int]
) -> Iterator[Callable[[], None]]:
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @given(case=good_or_bad(operation, mode, known))
        def ask(case: Any) -> None:
            for role in roles:
                answer = case.call(headers=role)
                counted[answer.status_code] += 1
                case.validate_response(answer, checks=CHECKS, headers=role)
                _learn(known, answer)

        yield ask
    described = operations()[operation.definition.raw["operationId"]]
    names = [each["name"] for each in described["parameters"] if each["in"] == "query"]

    @given(thing=rubbish(_fields(operation), names))
    def ask_rubbish(thing: Any) -> None:
        for role in roles:
            path, answer = send_rubbish(operation, thing, role)
            counted[answer.status_code] += 1
            if answer.status_code != 404:
                check_answer(operation.method.upper(), path, answer)

    yield ask_rubbish


def _fields(operation: APIOperation) -> list[str]:
    return [name for body in operation.body for name in body.definition.get("properties", {})]


def _learn(known: list[str], answer: Any) -> None:
    """What was made can be asked for from now on."""
    if answer.status_code == 201 and len(known) < 12:
        body = answer.json()
        known += [body[name] for name in ("id", "checkout_id", "payment_order_id") if name in body]


def _told(error: BaseException) -> str:
    inner = getattr(error, "exceptions", ())
    notes = getattr(error, "__notes__", ())
    return "\n".join([str(error), *(str(each) for each in inner), *notes])
