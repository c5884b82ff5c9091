"""Every template, for all inputs: what it makes balances per currency and is fit for the books (L1, L5)."""

import inspect
import pkgutil
from collections import Counter, defaultdict
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ledger.templates
from core.money import InexactAmount
from ledger.templates.registry import JOURNALS, journals_of
from ledger.types import EntryDraft
from tests.ledger.templates.inputs import CURRENCIES, arguments, spoiled

TEMPLATES: dict[str, Callable[..., Any]] = {
    journal.template.__name__: journal.template for journal in JOURNALS.values()
}


def drafts(template: Callable[..., Any], arguments_: dict[str, Any]) -> tuple[EntryDraft, ...]:
    made = template(**arguments_)
    return made if isinstance(made, tuple) else (made,)


def test_every_template_belongs_to_a_journal() -> None:
    """What makes an entry is in the registry, so it is documented and under these tests."""
    found = set()
    for module in pkgutil.walk_packages(ledger.templates.__path__, "ledger.templates."):
        for name, thing in vars(import_module(module.name)).items():
            if inspect.isfunction(thing) and name.endswith(("_entry", "_entries")):
                found.add(name)
    assert found == set(TEMPLATES)
    assert len(TEMPLATES) > 50


@pytest.mark.parametrize("name", TEMPLATES)
@settings(max_examples=settings().max_examples // 2)  # Each of many templates; `make chaos` asks for more.
@given(data=st.data())
def test_what_a_template_makes_is_an_entry(name: str, data: st.DataObject) -> None:
    """L1, L5, F-L1: sum zero per currency, two lines or more, none of them zero, currencies as told."""
    template = TEMPLATES[name]
    told = data.draw(arguments(template))
    made = drafts(template, told)
    posting = told.get("posting")
    currencies = {posting.currency} if posting else {told["currency"]}
    currencies |= {value for name, value in told.items() if name.endswith("_currency")}
    currencies |= {told["accounts"].unit} if hasattr(told.get("accounts"), "unit") else set()
    currencies |= {each.accounts.unit for each in told.get("points", ())}
    for draft in made:
        check(draft)
        assert {line.currency for line in draft.lines} <= currencies
        assert draft.merchant_id == (posting or told).merchant_id if posting else told["merchant_id"]
        assert draft.kind in {journal.kind for journal in JOURNALS.values() if journal.template is template}
    assert drafts(template, told) == made, "the same event is the same entry, byte for byte"
    assert len({(draft.source, draft.source_ref, draft.leg) for draft in made}) == len(made)


def check(draft: EntryDraft) -> None:
    sums: dict[str, int] = defaultdict(int)
    for line in draft.lines:
        assert type(line.amount_minor) is int and line.amount_minor
        sums[line.currency] += line.amount_minor
    assert set(sums.values()) == {0}
    assert 2 <= len(draft.lines) <= 1023
    places = Counter(
        (line.account_id, line.currency, line.clearing_key, line.amount_minor > 0) for line in draft.lines
    )
    assert set(places.values()) == {1}, "one line for an account, a key and a side"
    keyed = {line.account_id for line in draft.lines if line.clearing_key}
    assert not keyed & {line.account_id for line in draft.lines if not line.clearing_key}
    assert len({(line.account_id, line.currency) for line in draft.lines}) == len(
        {line.account_id for line in draft.lines}
    ), "an account has one currency"
    assert len(draft.source_ref) <= 120 and max(map(len, (draft.kind, draft.source, draft.leg))) <= 48


@pytest.mark.parametrize("name", TEMPLATES)
@settings(max_examples=5)
@given(data=st.data(), bad=st.sampled_from([1.0, float("nan"), Decimal("NaN"), Decimal("1.5"), "1", None]))
def test_no_template_takes_what_is_no_integer(name: str, data: st.DataObject, bad: Any) -> None:
    """A-C4, A-C5: every amount of every argument, one after another."""
    told = data.draw(arguments(TEMPLATES[name], items=2))
    tried = 0
    for wrong in spoiled(told, bad):
        tried += 1
        with pytest.raises(InexactAmount):
            TEMPLATES[name](**wrong)
    assert tried


def test_every_kind_is_of_one_template() -> None:
    """A kind says what happened; variants of one journal share it, other journals do not."""
    assert set(CURRENCIES) >= {"JPY", "KWD", "PTS"}
    for journal in JOURNALS.values():
        assert {each.template for each in journals_of(journal.kind)} == {journal.template}
    assert [journal.id for journal in journals_of("settlement_reported")] == ["P4a", "P4b"]
    assert [journal.id for journal in journals_of("refund_accepted")] == ["R1", "R4", "R5"]
    assert journals_of("no such kind") == ()
