"""What a provider says of a file elsewhere: figures that its lines must come to, or a person is told."""

from typing import Any

import pytest

from core.transactions import at_edge
from reconciliation import services
from reconciliation.formats.contract import Control
from reconciliation.models import ReconciliationRun
from tests.reconciliation.conftest import Desk
from tests.reconciliation.plain import settlement

pytestmark = pytest.mark.django_db
BODY = settlement(("a", 100), ("b", 200))
# 99 and 198, of batch b1.
RIGHT = Control("batch_net", 297, "EUR", "b1")
ABSENT = Control("batch_net", 5, "EUR", "b2")


def send(desk: Desk, source: Any, *controls: Control, body: bytes = BODY) -> Any:
    """Hand a file in with what is said of it; return it as it is then."""
    return desk.file(desk.send(source, body, declared_controls=controls))


@pytest.mark.parametrize(
    "controls",
    [
        (RIGHT,),
        (RIGHT, Control("net", 297, "EUR"), Control("gross", 300, "EUR"), Control("fee", 3, "EUR")),
        (RIGHT, Control("batch_may_be", 5, "EUR", "b2"), Control("net", 0, "USD")),
        (),
    ],
)
def test_what_agrees_counts_at_once(desk: Desk, controls: tuple[Control, ...]) -> None:
    """A payout that failed may be absent."""
    file = send(desk, desk.source(), *controls)
    assert (file.status, file.totals["contradicted"]) == ("PUBLISHED", [])


def test_a_payout_without_a_line_refuses_the_file(desk: Desk) -> None:
    """F-H1: a file that was cut between two groups of lines; the whole one stands in its place."""
    source = desk.source()
    received = desk.send(source, BODY, declared_controls=(RIGHT, ABSENT))
    assert desk.refused(received) == ("batch_missing", None)
    [case] = desk.cases("settlement_file_refused")
    assert "0.05 EUR as b2" in case.summary
    whole = settlement(("a", 100), ("b", 200), ("c", 5))
    assert send(desk, source, Control("batch_net", 302, "EUR", "b1"), body=whole).status == "PUBLISHED"
    assert desk.cases("settlement_file_refused") == []


@pytest.mark.parametrize(
    "control",
    [
        Control("batch_net", 298, "EUR", "b1"),
        Control("batch_may_be", 298, "EUR", "b1"),
        Control("net", 298, "EUR"),
        Control("net", 1, "USD"),
    ],
)
def test_another_figure_waits_until_it_is_said_twice(desk: Desk, control: Control) -> None:
    """F-H23, F-H4: shown, matched to nothing; final when the same body comes again."""
    source = desk.source()
    file = send(desk, source, control)
    assert (file.status, len(file.totals["contradicted"])) == ("PROVISIONAL", 1)
    assert not ReconciliationRun.objects.filter(file_id=file.id).exists()
    file = send(desk, source, control)
    assert file.status == "PUBLISHED"
    assert ReconciliationRun.objects.filter(file_id=file.id).exists()


def test_a_batch_that_the_provider_does_not_know(desk: Desk) -> None:
    """No payout beyond those that were declared; where none was declared, nothing is known of any."""
    both = settlement(("a", 100)).replace(b"T|1|99", b"L|c|charge|EUR|10|0|10|2026-01-05|b9\nT|2|109")
    file = send(desk, desk.source(), Control("batch_net", 99, "EUR", "b1"), body=both)
    [found] = file.totals["contradicted"]
    assert (file.status, found["scope"], found["declared"], found["counted"]) == ("PROVISIONAL", "b9", 0, 10)
    assert send(desk, desk.source(), body=both).status == "PUBLISHED"


def test_the_same_lines_in_other_bytes_say_it_again(desk: Desk) -> None:
    """A second download may have another order."""
    source = desk.source()
    wrong = Control("batch_net", 298, "EUR", "b1")
    first = send(desk, source, wrong)
    second = send(desk, source, wrong, body=settlement(("b", 200), ("a", 100)))
    assert (desk.file_again(first).status, second.status) == ("PUBLISHED", "DUPLICATE")


def test_a_later_download_that_agrees_takes_its_place(desk: Desk) -> None:
    """F-H3: what was short is whole now."""
    source = desk.source()
    first = send(desk, source, RIGHT, body=settlement(("a", 100)))
    second = send(desk, source, RIGHT)
    assert (desk.file_again(first).status, second.status) == ("SUPERSEDED", "PUBLISHED")


def test_a_person_who_knows_better_lets_it_be_read(desk: Desk) -> None:
    """Refused is not for ever: read again it contradicts the provider, and counts when it is said twice."""
    source = desk.source()
    file = send(desk, source, RIGHT, ABSENT)
    at_edge(services.read_file_again)(file_id=file.id, by="user:mia", reason="the line comes tomorrow")
    desk.work()
    assert desk.file_again(file).status == "PROVISIONAL"
    file = send(desk, source, RIGHT, ABSENT)
    [found] = file.totals["contradicted"]
    assert (file.status, found["scope"], found["counted"]) == ("PUBLISHED", "b2", 0)
