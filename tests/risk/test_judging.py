"""The decision depends on the rules and the payment, and not on the order in which anybody looks at them."""

import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.judging import combine, evaluate
from risk.kinds import KINDS, parse
from risk.known import Known, Part, restored
from risk.policy import Rule
from risk.types import Hit

NAMES = st.integers(0, 6).map("r{}".format)
HITS = st.builds(
    Hit,
    rule=NAMES,
    version=st.integers(1, 3),
    decision=st.sampled_from(["", "", "approve", "review", "decline"]),
    score=st.integers(-100, 100),
    reason=st.sampled_from(["a", "b", "c"]),
    is_shadow=st.booleans(),
)
LIMITS = {"review_from": 50, "decline_from": 100}


@given(st.lists(HITS, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_hits_does_not_matter(hits: list[Hit], chance: random.Random) -> None:
    mixed = hits[:]
    chance.shuffle(mixed)
    assert combine(hits, **LIMITS) == combine(mixed, **LIMITS)


@given(st.lists(HITS, max_size=8))
def test_what_decides(hits: list[Hit]) -> None:
    """The rules in words, said once more without the code: block, trust, score, person."""
    verdict = combine(hits, **LIMITS)
    said = {hit.decision for hit in hits if not hit.is_shadow}
    if "decline" in said:
        assert verdict.decision == "decline"
    elif "approve" in said:
        assert verdict.decision == "approve" and verdict.is_trusted
    elif verdict.score >= 100:
        assert verdict.decision == "decline"
    else:
        assert verdict.decision == ("review" if "review" in said or verdict.score >= 50 else "approve")


@given(st.lists(HITS, max_size=6), HITS)
def test_a_shadow_has_no_effect(hits: list[Hit], one: Hit) -> None:
    shadow = Hit(**{**vars(one), "is_shadow": True})
    assert combine([*hits, shadow], **LIMITS) == combine(hits, **LIMITS)


PARTS = st.lists(
    st.builds(
        Part,
        seller=st.sampled_from(["ann", "bob"]),
        seller_days=st.integers(0, 60),
        amount_minor=st.integers(1, 10**6),
        currency=st.sampled_from(["USD", "EUR"]),
    ),
    min_size=1,
    max_size=4,
)
COUNTRIES = st.dictionaries(
    st.sampled_from(["billing", "shipping", "card", "ip"]), st.sampled_from(["US", "DE"]), max_size=4
)
PARAMS = {
    "amount_over": st.fixed_dictionaries({"limits": st.just({"USD": 1000, "EUR": 5000})}),
    "new_seller": st.fixed_dictionaries({"days": st.integers(1, 90)}),
    "country_mismatch": st.sampled_from([{"between": ["billing", "card"]}, {"between": ["billing", "ip"]}]),
}


@st.composite
def rules(draw: Any) -> list[Rule]:
    found = []
    for number in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(sorted(PARAMS)))
        is_broken = draw(st.integers(0, 5)) == 0
        found.append(
            Rule(
                id=UUID(int=number),
                name=f"rule-{number}",
                version=1,
                decision=draw(st.sampled_from(["", "review", "decline"])),
                score=draw(st.integers(0, 80)),
                reason=kind,
                on_error=draw(st.sampled_from(["ignore", "review", "decline"])),
                is_shadow=draw(st.booleans()),
                test=None if is_broken else parse(kind, draw(PARAMS[kind])),
                problem="broken" if is_broken else "",
            )
        )
    return found


@given(rules(), PARTS, COUNTRIES, st.randoms(use_true_random=False))
def test_evaluation_is_deterministic_and_independent_of_order(
    found: list[Rule], parts: list[Part], countries: dict[str, str], chance: random.Random
) -> None:
    known = payment(parts, countries)
    mixed = found[:]
    chance.shuffle(mixed)
    first, second = evaluate(found, known), evaluate(mixed, known)
    assert first == second == evaluate(found, known)
    assert combine(first, **LIMITS) == combine(second, **LIMITS)
    again = restored(known.merchant_id, known.subject_id, known.at, known.as_inputs())
    assert again == known and evaluate(found, again) == first


def payment(parts: list[Part], countries: dict[str, str]) -> Known:
    """A payment whose history nobody asks about, so that no database is needed."""
    return Known(
        merchant_id=UUID(int=1),
        subject_id=UUID(int=2),
        at=datetime(2026, 1, 1, tzinfo=UTC),
        parts=tuple(parts),
        keys={},
        countries=countries,
        sellers=(b"s" * 16,),
        buys_from_itself=False,
        tokens=frozenset([b"t" * 16]),
    )


WRONG: list[tuple[str, Any]] = [
    ("nothing", {}),
    ("amount_over", {}),
    ("amount_over", {"limits": {}}),
    ("amount_over", {"limits": {"usd": 1}}),
    ("amount_over", {"limits": {"USD": 1.5}}),
    ("amount_over", {"limits": {"USD": True}}),
    ("amount_over", {"limits": {"USD": 1}, "more": 1}),
    ("amount_over", []),
    ("velocity", {"key": "name", "measure": "payments", "window_seconds": 60, "over": 1}),
    ("velocity", {"key": "ip", "measure": "smiles", "window_seconds": 60, "over": 1}),
    ("velocity", {"key": "ip", "measure": "payments", "window_seconds": 0, "over": 1}),
    ("velocity", {"key": "ip", "measure": "payments", "window_seconds": 60, "over": 10_001}),
    ("velocity", {"key": "ip", "measure": "amount", "window_seconds": 60, "over": 1}),
    ("velocity", {"key": "ip; DROP TABLE x", "measure": "payments", "window_seconds": 60, "over": 1}),
    ("country_mismatch", {"between": ["billing"]}),
    ("country_mismatch", {"between": ["billing", "moon"]}),
    ("card_checks", {"by": "buyer", "window_seconds": 60}),
    ("card_checks", {"by": "buyer", "cvc": ["bad"], "window_seconds": 60}),
    ("list_hit", {"list": ""}),
    ("new_seller", {"days": 0}),
    ("new_seller", {"days": "7"}),
    ("buyer_is_seller", {"window_seconds": None}),
]


@pytest.mark.parametrize(("kind", "params"), WRONG)
def test_parameters_that_make_no_sense_are_refused_in_words(kind: str, params: Any) -> None:
    with pytest.raises(ValueError, match=r"\w+: "):
        parse(kind, params)


def test_every_kind_is_tried() -> None:
    assert {kind for kind, _ in WRONG} - {"nothing"} == set(KINDS)
