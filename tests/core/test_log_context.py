"""What stands in every log line: the ids of the work at hand, one JSON object a line, and no secret."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.test import Client

from config.logging import configure
from core.drain import Claim, Drain
from core.ids import uuid7
from core.log_context import note, working_on
from core.models import AlertNotice

CARD = "4242424242424242"


@pytest.fixture
def lines() -> Iterator[Any]:
    """Log as a process does, into memory; calling it returns the lines so far."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, structlog.get_config())
    configure({"level": "INFO"})
    text = io.StringIO()
    root.handlers[0].setStream(text)  # type: ignore[attr-defined]
    yield lambda: [json.loads(line) for line in text.getvalue().splitlines()]
    root.handlers[:], level, config = before
    root.setLevel(level)
    structlog.configure(**config)


def test_a_line_is_one_object_with_time_level_and_logger(lines: Any) -> None:
    logging.getLogger("plain").warning("with a\nbreak in it")
    (line,) = lines()
    assert line["event"] == "with a\nbreak in it"
    assert (line["level"], line["logger"]) == ("warning", "plain")
    assert line["timestamp"].endswith("Z")


def test_what_is_noted_of_one_row_is_not_said_of_the_next(lines: Any) -> None:
    class Noting(Drain):
        name = "noting"
        model = AlertNotice

        def handle(self, claim: Claim) -> None:
            if claim.attempts:
                note(charge_id="chg_1")
            logging.getLogger("work").error("at it")

    noting = Noting()
    first, second = Claim(uuid7(), 1, 1), Claim(uuid7(), 1, 0)
    with working_on(request_id="req_outer"):
        noting._one(first)
        noting._one(second)
        logging.getLogger("work").error("over")
    one, two, over = lines()
    assert (one["drain"], one["row"], one["charge_id"]) == ("noting", str(first.id), "chg_1")
    assert (two["row"], two.get("charge_id")) == (str(second.id), None)
    assert (over["request_id"], over.get("drain")) == ("req_outer", None)


def test_a_failure_carries_the_ids_of_its_row(lines: Any) -> None:
    class Failing(Drain):
        name = "failing"
        model = AlertNotice

        def handle(self, claim: Claim) -> None:
            note(charge_id="chg_2")
            raise ValueError(f"card {CARD}")

    Failing()._one(Claim(uuid7(), 1, 0))
    (line,) = lines()
    assert line["charge_id"] == "chg_2"
    assert "ValueError" in line["exception"] and CARD not in line["exception"]


@pytest.mark.parametrize(
    "secret",
    [
        CARD,
        "4242 4242 4242 4242",
        "sk_live_" + "a" * 24,
        "whsec_" + "b" * 32,
    ],
)
def test_secrets_are_hidden_wherever_they_stand(secret: str, lines: Any) -> None:
    """In the message, in an argument, in a field, and in what is bound to every line."""
    with working_on(reference=secret):
        logging.getLogger("x").error("got %s", secret)
        structlog.get_logger("y").error("event", body=secret, nested={"deep": [secret]})
    said = json.dumps(lines(), ensure_ascii=False)
    assert secret not in said and len(lines()) == 2


@pytest.mark.django_db
def test_a_request_leaves_nothing_behind() -> None:
    Client().get("/v1/payments/pay_1")
    assert structlog.contextvars.get_contextvars() == {}
