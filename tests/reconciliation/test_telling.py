"""From a file to pay-in: outcomes that nobody knew, late money, and what cannot be ended."""

from datetime import timedelta

import pytest

from core import clock
from core.drain import get_drain
from core.ids import public_id
from ledger.models import JournalEntry
from payments.models import PaymentOrder, PspOperation
from payments.types import Settled
from reconciliation import asking, telling
from reconciliation.asking import BY, ask_run
from reconciliation.drains import RunDrain
from reconciliation.matching.runs import match_run
from reconciliation.models import Discrepancy, DiscrepancyNote, Match, ReconciliationRun
from reconciliation.telling import tell_run
from tests.payments.conftest import Shop, counter
from tests.payments.test_settling import decline, sent
from tests.reconciliation.conftest import TODAY, Desk, stand_still

__all__ = ["counter"]

pytestmark = pytest.mark.django_db
DAY = TODAY - timedelta(days=5)


class Bench(Desk):
    """The provider's files of a shop, as they come in."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop.store.merchant_id)
        self.psp = self.source(name="psp", provider="stripe", channel_id=shop.channel.id)

    def report(self, *lines: tuple[str, str, int], identity: str = "day") -> ReconciliationRun:
        """A file of lines (reference, kind, gross in USD), taken in, and worked on as far as it goes."""
        rows = [f"L|{name}|{kind}|USD|{gross}|0|{gross}|{DAY}|" for name, kind, gross in lines]
        body = [
            f"H|{identity}|{DAY}|{DAY}||",
            *rows,
            f"T|{len(rows)}|{sum(each[2] for each in lines)}|USD",
            "",
        ]
        received = self.send(self.psp, "\n".join(body).encode())
        get_drain("reconciliation_runs").run()
        return ReconciliationRun.objects.get(file_id=received.file_id)


@pytest.fixture
def bench(counter: Shop, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Files are matched and told; what comes after that is not."""
    stand_still(monkeypatch)
    monkeypatch.setattr(RunDrain, "steps", (match_run, tell_run))
    return Bench(counter)


def breaks() -> list[tuple[str, str]]:
    rows = Discrepancy.objects.order_by("pk")
    return list(rows.values_list("break_class", "status"))


def test_a_file_ends_what_nobody_knew(bench: Bench, counter: Shop) -> None:
    """F-A5, DESIGN 5: unknown until the settlement file; it is captured before the file is posted."""
    charge = sent(counter)
    assert charge.psp_reference
    run = bench.report((charge.psp_reference, "charge", 9000))
    charge.refresh_from_db()
    assert (charge.status, run.status, breaks()) == ("CAPTURED", "MATCHED", [])
    assert PaymentOrder.objects.get().status == "SUCCESS"
    assert Match.objects.get(live=True).subject_id == charge.id
    entries = JournalEntry.objects.count()
    assert bench.report((charge.psp_reference, "charge", 9000)).id == run.id
    assert JournalEntry.objects.count() == entries


def test_another_amount_freezes_and_has_one_break(bench: Bench, counter: Shop) -> None:
    """Promise 3: the provider's amount is not ours; nothing is posted, and one break says so."""
    charge = sent(counter)
    assert charge.psp_reference
    bench.report((charge.psp_reference, "charge", 8000))
    charge.refresh_from_db()
    assert (charge.status, breaks()) == ("CONFLICTED", [("AMOUNT_MISMATCH", "OPEN")])
    assert JournalEntry.objects.count() == 0


def test_money_of_an_ended_order_is_late_and_matched(bench: Bench, counter: Shop) -> None:
    """R6: declined with us, and taken by the file: it goes back, and the line is matched."""
    charge = sent(counter)
    assert charge.psp_reference
    decline(charge)
    bench.report((charge.psp_reference, "charge", 9000))
    charge.refresh_from_db()
    assert (charge.status, breaks()) == ("CAPTURED", [("STATUS_MISMATCH", "RESOLVED")])
    assert Match.objects.get(live=True).subject_id == charge.id
    assert PspOperation.objects.get(charge=charge, kind="refund").status == "CREATED"


def test_one_that_fails_is_a_break_and_the_others_go_on(
    bench: Bench, counter: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is swallowed: a person sees the line that could not be recorded."""
    first, second = sent(counter), sent(counter)
    real = telling.settle_from_file

    def fails(**given: object) -> Settled:
        if given["told"].subject_id == first.id:  # type: ignore[attr-defined]
            raise ValueError("broken")
        return real(**given)  # type: ignore[arg-type]

    monkeypatch.setattr(telling, "settle_from_file", fails)
    bench.report(*[(str(each.psp_reference), "charge", 9000) for each in (first, second)])
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("UNKNOWN", "CAPTURED")
    broken = Discrepancy.objects.get()
    assert (broken.break_class, broken.subject_id) == ("STATUS_MISMATCH", first.id)
    assert broken.explanation["steps"][0]["says"] == "ValueError: broken"


def test_lines_of_a_file_that_was_replaced_are_not_told(
    bench: Bench, counter: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer version counts: what only the older one says ends nothing."""
    charge = sent(counter)
    monkeypatch.setattr(RunDrain, "steps", (match_run,))
    run = bench.report((str(charge.psp_reference), "charge", 9000))
    bench.report(("pi_other", "charge", 100))
    run.refresh_from_db()
    assert run.file.status == "SUPERSEDED"
    monkeypatch.setattr(RunDrain, "steps", (tell_run,))
    ReconciliationRun.objects.filter(pk=run.id).update(due_at=clock.now(), leased_until=None)
    get_drain("reconciliation_runs").run(seconds=0.1)
    charge.refresh_from_db()
    assert charge.status == "UNKNOWN"


def test_a_silent_provider_is_asked_again_and_not_for_ever(
    bench: Bench, counter: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-H12: the file waits for the answer, is taken up later, and goes on when its time is over."""
    after: list[str] = []
    monkeypatch.setattr(RunDrain, "steps", (match_run, ask_run, lambda claim: after.append("posts") or ""))
    asked: list[str] = []

    def silent(*, told: object) -> Settled:
        asked.append(told.reference)  # type: ignore[attr-defined]
        return Settled("silent", "no answer")

    monkeypatch.setattr(asking, "adopt_from_provider", silent)
    run = bench.report(("pi_forgotten", "charge", 700))
    assert (asked, after, run.status) == (["pi_forgotten"], [], "MATCHED")
    assert run.due_at is not None and run.due_at > clock.now()
    assert run.matched_at is not None
    ReconciliationRun.objects.filter(pk=run.id).update(
        due_at=clock.now(), matched_at=run.matched_at - timedelta(minutes=11)
    )
    get_drain("reconciliation_runs").run(seconds=0.1)
    assert (len(asked) >= 2, after[:1], breaks()) == (True, ["posts"], [("MISSING_INTERNAL", "OPEN")])
    assert not DiscrepancyNote.objects.exists()


def test_what_the_provider_says_is_noted_once(
    bench: Bench, counter: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-H12: not ours, or nobody has its order: the break stays, with the provider's answer."""
    monkeypatch.setattr(RunDrain, "steps", (match_run, ask_run))
    asked: list[object] = []

    def answer(*, told: object) -> Settled:
        asked.append(told)
        return Settled("unsettled", "it carries no reference of ours")

    monkeypatch.setattr(asking, "adopt_from_provider", answer)
    run = bench.report(("pi_forgotten", "charge", 700))
    note = DiscrepancyNote.objects.get()
    assert (note.by, note.text) == (BY, "unsettled: it carries no reference of ours")
    assert [(each.file, each.amount_minor) for each in asked] == [(public_id("stl", run.file_id), 700)]  # type: ignore[attr-defined]
    assert breaks() == [("MISSING_INTERNAL", "OPEN")]
