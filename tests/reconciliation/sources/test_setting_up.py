"""Sources are set up by whoever may, with a reason; what does not fit together is said by its name."""

from dataclasses import replace
from datetime import date, time
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest

from core.audit_trail import ReasonRequired
from core.errors import NotFound
from core.models import AuditRecord
from core.transactions import at_edge
from reconciliation.errors import SourceExists, SourceInvalid, SourceUnknown
from reconciliation.models import SettlementSource
from reconciliation.selectors import find_source, get_source, list_sources, sources_at_desk
from reconciliation.services import change_source, create_source, receive_file, set_source_enabled
from tests.channels.lines import open_channel, open_merchant
from tests.reconciliation.setup import BY, activity, set_up, settings_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("part", "value", "param"),
    [
        ("kind", "shop", "kind"),
        ("kind", "bank", "format"),
        ("provider", "No Such", "provider"),
        ("format", "no.such", "format"),
        ("encoding", "utf-7", "encoding"),
        ("account", " 1", "account"),
        ("account", "1" * 65, "account"),
        ("currency", "XXQ", "currency"),
        ("time_zone", "Europe/Nowhere", "time_zone"),
        ("time_zone", "../etc/passwd", "time_zone"),
        ("calendar", "MOON", "calendar"),
        ("expected_after", -1, "expected_after"),
        ("expected_after", 61, "expected_after"),
        ("fetcher", "pigeon", "fetcher"),
        ("fetcher", "stripe", "fetcher"),
        ("fetcher", "bank", "fetcher"),
        ("channel_id", uuid4(), "channel"),
    ],
)
def test_what_does_not_fit_is_named(part: str, value: Any, param: str) -> None:
    with pytest.raises(SourceInvalid) as refused:
        set_up(open_merchant(), **{part: value})
    assert refused.value.param == param


def test_a_channel_must_be_the_merchants_and_lead_to_the_provider() -> None:
    """Whether another merchant has a channel is not told."""
    merchant_id, other = open_merchant(), open_channel()
    with pytest.raises(SourceInvalid, match="no such channel"):
        set_up(merchant_id, channel_id=other.id)
    mine = open_channel(merchant_id=merchant_id)
    with pytest.raises(SourceInvalid, match="leads to stripe"):
        set_up(merchant_id, channel_id=mine.id, provider="adyen")
    with pytest.raises(SourceInvalid, match="has reports for"):
        set_up(merchant_id, channel_id=mine.id, fetcher="stripe", format="stripe.export")
    assert set_up(merchant_id, channel_id=mine.id, fetcher="stripe").settings.channel_id == mine.id


def test_a_name_is_the_merchants_once() -> None:
    merchant_id = open_merchant()
    made = set_up(merchant_id, name="stripe")
    with pytest.raises(SourceExists):
        set_up(merchant_id, name="stripe")
    for name in ("", "Stripe", "a/b", "../x", "x" * 65):
        with pytest.raises(SourceInvalid):
            at_edge(create_source)(
                merchant_id=merchant_id, name=name, settings=settings_of(), by=BY, reason="test"
            )
    with pytest.raises(ReasonRequired):
        at_edge(create_source)(merchant_id=merchant_id, name="x", settings=settings_of(), by=BY, reason=" ")
    with pytest.raises(NotFound):
        at_edge(create_source)(merchant_id=uuid4(), name="x", settings=settings_of(), by=BY, reason="x")
    assert set_up(open_merchant(), name="stripe").id != made.id
    assert list_sources(merchant_id=merchant_id) == [made]


def test_another_merchant_neither_sees_nor_changes_it() -> None:
    made, other = set_up(open_merchant(), name="mine"), open_merchant()
    with pytest.raises(SourceUnknown):
        get_source(merchant_id=other, source_id=made.id)
    with pytest.raises(SourceUnknown):
        find_source(merchant_id=other, name="mine")
    with pytest.raises(SourceUnknown):
        change(made, merchant_id=other)
    with pytest.raises(SourceUnknown):
        at_edge(set_source_enabled)(merchant_id=other, source_id=made.id, is_enabled=False, by=BY, reason="x")
    assert sources_at_desk(merchant_id=other) == []


def test_each_change_is_in_the_audit_trail() -> None:
    """With what was before, who, and why."""
    made = set_up(open_merchant())
    changed = change(made, expected_by=time(18), currency="USD")
    assert get_source(merchant_id=made.merchant_id, source_id=made.id) == changed
    at_edge(set_source_enabled)(
        merchant_id=made.merchant_id, source_id=made.id, is_enabled=False, by=BY, reason="contract ended"
    )
    assert not get_source(merchant_id=made.merchant_id, source_id=made.id).is_enabled
    trail = list(AuditRecord.objects.filter(subject=made.public_id).order_by("seq"))
    assert [(each.action, each.reason) for each in trail] == [
        ("settlement_source.create", "test"),
        ("settlement_source.change", "as agreed"),
        ("settlement_source.disable", "contract ended"),
    ]
    assert (trail[1].detail["from"]["expected_by"], trail[1].detail["to"]["expected_by"]) == (
        "12:00:00",
        "18:00:00",
    )


def test_what_its_files_are_about_stays() -> None:
    """A source that has files is not made one of another account; how they come may change."""
    made = set_up(open_merchant())
    day = date(2026, 11, 2)
    receive_file(
        source_id=made.id, name="x.csv", body=BytesIO(activity(day)), origin="upload", by=BY,
        asked_from=day, asked_to=day,
    )  # fmt: skip
    for part, value in (("account", "DE1"), ("currency", "USD"), ("provider", "adyen")):
        with pytest.raises(SourceInvalid) as refused:
            change(made, **{part: value})
        assert refused.value.param == part
    assert change(made, fetcher="folder").settings.fetcher == "folder"


def change(source: Any, *, merchant_id: Any = None, **changes: Any) -> Any:
    return at_edge(change_source)(
        merchant_id=merchant_id or source.merchant_id,
        source_id=source.id,
        settings=replace(source.settings, **changes),
        by=BY,
        reason="as agreed",
    )


def test_its_accounts_in_the_books_are_those_of_its_channel() -> None:
    """Pay-in keeps psp_clearing under the channel's name; what a file clears must be found there."""
    merchant_id = open_merchant()
    none = set_up(merchant_id, name="none")
    assert SettlementSource.objects.get(pk=none.id).in_books == "stripe"
    first = open_channel(merchant_id=merchant_id)
    for name, channel_id in (("named", first.id), ("the-only-one", None)):
        made = set_up(merchant_id, name=name, channel_id=channel_id)
        assert SettlementSource.objects.get(pk=made.id).in_books == first.name
    second = open_channel(merchant_id=merchant_id)
    with pytest.raises(SourceInvalid) as refused:
        set_up(merchant_id, name="which")
    assert refused.value.param == "channel"
    made = set_up(merchant_id, name="second", channel_id=second.id)
    assert SettlementSource.objects.get(pk=made.id).in_books == second.name
