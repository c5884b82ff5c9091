"""What the provider tells of pages and of the payments behind them: hints to ask, and what contradicts us."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from core.ids import public_id
from core.models import Case, DeadLetter
from core.transactions import at_edge
from events.models import InboxWork, WebhookInbox
from ledger.models import JournalEntry
from payments.locks import lock_charge
from payments.models import Charge, PspOperation
from tests.payments.conftest import Shop, hosted, open_shop
from tests.payments.deliveries import deliver, process, told
from tests.waiting import eventually

RETRIEVE = "checkout.sessions.retrieve"
ABOUT = ("payment_intent.", "checkout.session.", "charge.")


@pytest.fixture(autouse=True)
def _only_the_worker(settings: Any, hooks: Any) -> None:
    settings.INLINE_REGISTRATIONS = 0


def charge_of(checkout: dict[str, Any]) -> Charge:
    return Charge.objects.get(checkout__checkout_id=checkout["checkout_id"])


def open_page(shop: Shop) -> dict[str, Any]:
    """A checkout whose page is open and was just looked at."""
    return shop.pay(hosted(shop))


def buy(shop: Shop, checkout: dict[str, Any], token: str = "pm_card_visa") -> None:
    path = f"checkout_sessions/{charge_of(checkout).session_reference}/payment"
    shop.provider.control("POST", path, {"token": token})


def events(shop: Shop, checkout: dict[str, Any]) -> list[dict[str, Any]]:
    """All that the provider tells about the checkout, oldest first."""
    return [each for each in told(shop, checkout["checkout_id"], about="") if each["type"].startswith(ABOUT)]


def event(shop: Shop, checkout: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(each for each in events(shop, checkout) if each["type"] == kind)


def altered(original: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The same event about another object."""
    body = {**original["data"]["object"], **changes}
    return {**original, "id": f"evt_{len(str(changes))}_altered", "data": {"object": body}}


@pytest.mark.parametrize("kind", ["checkout.session.completed", "payment_intent.succeeded"])
def test_an_event_has_us_ask_at_once(shop: Shop, kind: str) -> None:
    """Not the event is believed but the answer: one question, and the money is in the books."""
    checkout = open_page(shop)
    for _ in range(5):
        shop.later(20)
    buy(shop, checkout)
    assert shop.work() == 0, "it is not due"
    asked = len(shop.requests(RETRIEVE))
    assert deliver(shop, event(shop, checkout, kind)) == 200
    process()
    shop.work()
    assert shop.checkout(checkout["id"])["status"] == "succeeded"
    assert len(shop.requests(RETRIEVE)) == asked + 1


def test_a_page_that_ended_is_told(shop: Shop) -> None:
    checkout = open_page(shop)
    sessions = shop.provider.client(shop.account_key).v1.checkout.sessions
    sessions.expire(charge_of(checkout).session_reference)
    assert deliver(shop, event(shop, checkout, "checkout.session.expired")) == 200
    process()
    shop.work()
    assert shop.checkout(checkout["id"])["status"] == "expired"


def test_a_result_that_took_hours_is_booked_when_it_is_told(shop: Shop) -> None:
    """From the first look after the buyer's part the payment is known: its event is enough."""
    checkout = open_page(shop)
    buy(shop, checkout, "pm_card_sandboxProcessing")
    shop.later(2)
    reference = charge_of(checkout).psp_reference
    assert (charge_of(checkout).status, bool(reference)) == ("PENDING", True)
    shop.provider.control("POST", f"payment_intents/{reference}/settlement", {"result": "succeed"})
    asked = len(shop.requests())
    assert deliver(shop, event(shop, checkout, "payment_intent.succeeded")) == 200
    process()
    assert (shop.checkout(checkout["id"])["status"], len(shop.requests())) == ("succeeded", asked)


CONTRADICTIONS: list[tuple[str, dict[str, Any]]] = [
    ("payment_intent.succeeded", {"amount": 1, "amount_received": 1}),
    ("payment_intent.succeeded", {"amount_received": 9999}),
    ("payment_intent.succeeded", {"currency": "eur"}),
    ("checkout.session.completed", {"amount_total": 1}),
    ("checkout.session.completed", {"currency": "eur"}),
    ("checkout.session.completed", {"id": "cs_test_another_page"}),
]


@pytest.mark.parametrize(("kind", "change"), CONTRADICTIONS, ids=str)
def test_a_genuine_payment_that_carries_our_reference_a_b10_a_b11(
    shop: Shop, kind: str, change: dict[str, Any]
) -> None:
    """A-B10, A-B11: another amount, currency or page than ours: conflict, a case, and nothing posted."""
    checkout = open_page(shop)
    buy(shop, checkout)
    assert deliver(shop, altered(event(shop, checkout, kind), **change)) == 200
    process()
    shop.later(60)
    assert charge_of(checkout).status == "CONFLICTED"
    (case,) = Case.objects.all()
    assert (case.kind, case.value_minor) == ("charge_conflict", 10000)
    seen = shop.checkout(checkout["id"])
    assert (seen["status"], seen["is_payment_done"], seen["next_action"]) == ("processing", False, None)
    assert not JournalEntry.objects.exists()


def test_another_payment_of_the_right_amount_is_not_ours_a_b10(shop: Shop) -> None:
    """A-B10: right amount, right reference, and not paid on our page: we ask, and nothing is released."""
    paid, unpaid = open_page(shop), open_page(shop)
    buy(shop, paid)
    metadata = {"charge_id": public_id("chg", charge_of(unpaid).id)}
    assert deliver(shop, altered(event(shop, paid, "payment_intent.succeeded"), metadata=metadata)) == 200
    process()
    shop.later(60)
    assert charge_of(unpaid).status == "REQUIRES_ACTION"
    assert not JournalEntry.objects.filter(source_ref__contains=str(charge_of(unpaid).id)).exists()
    assert shop.checkout(unpaid["id"])["is_payment_done"] is False


def test_signed_by_another_account_a_b11(shop: Shop) -> None:
    """A-B11: the right facts over the line of another merchant prove nothing."""
    checkout, other = open_page(shop), open_shop(shop.provider, shop.provider.url)
    buy(shop, checkout)
    assert deliver(other, event(shop, checkout, "payment_intent.succeeded")) == 200
    process()
    assert charge_of(checkout).status == "REQUIRES_ACTION"
    assert Case.objects.get().kind == "foreign_event"


def test_a_page_that_is_not_ours_is_parked_or_left_alone(shop: Shop) -> None:
    checkout = open_page(shop)
    buy(shop, checkout)
    original = event(shop, checkout, "checkout.session.completed")
    other_use = altered(original, metadata={}, client_reference_id="cart-7", id="cs_test_x")
    no_reference = altered(original, metadata={}, client_reference_id=None, id="cs_test_xy")
    for each in (other_use, no_reference):
        assert deliver(shop, each) == 200
    process()
    states = dict(InboxWork.objects.values_list("inbox__provider_event_id", "status"))
    assert states == {other_use["id"]: "DONE", no_reference["id"]: "PARKED"}
    assert charge_of(checkout).status == "REQUIRES_ACTION"


FLOWS = ("hosted", "hosted after a decline", "hosted processing", "token with 3-D Secure", "token")


def _start(shop: Shop, flow: str) -> dict[str, Any]:
    """Bring a payment to where the provider has ended it and we may not know."""
    if flow == "hosted":
        checkout = open_page(shop)
        buy(shop, checkout)
    elif flow == "hosted after a decline":
        checkout = open_page(shop)
        buy(shop, checkout, "pm_card_chargeDeclined")
        buy(shop, checkout)
    elif flow == "hosted processing":
        checkout = open_page(shop)
        buy(shop, checkout, "pm_card_sandboxProcessing")
        sessions = shop.provider.client(shop.account_key).v1.checkout.sessions
        intent = sessions.retrieve(charge_of(checkout).session_reference).payment_intent
        shop.provider.control("POST", f"payment_intents/{intent}/settlement", {"result": "succeed"})
    elif flow == "token with 3-D Secure":
        checkout = shop.pay(shop.body(token="pm_card_threeDSecure2Required"))
        path = f"payment_intents/{charge_of(checkout).psp_reference}/authentication"
        shop.provider.control("POST", path, {"result": "complete"})
    else:
        checkout = shop.pay(shop.body(token="pm_card_sandboxProcessing"))
        path = f"payment_intents/{charge_of(checkout).psp_reference}/settlement"
        shop.provider.control("POST", path, {"result": "succeed"})
    return checkout


@pytest.mark.parametrize("flow", FLOWS)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_order_with_repeats_ends_the_same_f_c4(shop: Shop, flow: str, data: Any) -> None:
    """F-C4: up to six events in any order, with repeats, mixed with our asking and reading."""
    checkout = _start(shop, flow)
    all_of_it = events(shop, checkout)
    assert 2 <= len(all_of_it) <= 6, [each["type"] for each in all_of_it]
    order = data.draw(st.permutations(range(len(all_of_it))))
    between = data.draw(
        st.lists(st.sampled_from(["ask", "read", "again"]), min_size=len(order), max_size=len(order))
    )
    for place, then in zip(order, between, strict=True):
        assert deliver(shop, all_of_it[place]) == 200
        if then == "again":
            twin = data.draw(st.sampled_from(order))
            assert deliver(shop, all_of_it[twin], id=f"evt_{checkout['checkout_id']}_{place}") == 200
        elif then == "read":
            process()
        else:
            _ask(shop)
    process()
    _ask(shop)
    seen = shop.checkout(checkout["id"])
    assert (seen["status"], seen["is_payment_done"], charge_of(checkout).status) == (
        "succeeded",
        True,
        "CAPTURED",
    )
    took = [each for each in shop.effects(checkout["checkout_id"]) if each["kind"] == "charge.captured"]
    assert len(took) == 1
    entries = JournalEntry.objects.filter(source="charge", source_ref=str(charge_of(checkout).id))
    assert entries.count() == 1
    assert not Case.objects.exists()


def _ask(shop: Shop) -> None:
    at_edge(PspOperation.objects.filter(due_at__isnull=False).update)(due_at=clock.now())
    shop.work()


_JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**18)
    | st.text(max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_KINDS = ("payment_intent.succeeded", "checkout.session.completed", "payment_intent.created")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_events_of_another_shape_f_c11(shop: Shop, data: Any) -> None:
    """F-C11: other types, versions, enums and fields: stored, answered 2xx, no exception, nothing guessed."""
    checkout = _recorded(shop)
    original = event(shop, checkout, data.draw(st.sampled_from(_KINDS)))
    body = dict(original["data"]["object"])
    for name in data.draw(st.lists(st.sampled_from(sorted(body)), max_size=4)):
        if data.draw(st.booleans()):
            body.pop(name, None)
        else:
            body[name] = data.draw(_JUNK)
    body |= data.draw(st.dictionaries(st.text(min_size=1, max_size=10), _JUNK, max_size=2))
    kind = data.draw(st.sampled_from([original["type"], "payment_intent.brand_new", "checkout.session.x"]))
    changed = {**original, "type": kind, "api_version": "2099-01-01.future", "data": {"object": body}}
    before = WebhookInbox.objects.count()
    name = f"evt_fuzz_{before}"
    assert deliver(shop, changed, id=name) == 200
    assert WebhookInbox.objects.count() == before + 1
    process()
    states = InboxWork.objects.filter(inbox__provider_event_id=name).values_list("status", "attempts")
    assert {status for status, _ in states} <= {"DONE", "PARKED"}, list(states)
    assert {attempts for _, attempts in states} <= {0}, "nothing was raised"
    assert not DeadLetter.objects.exists()
    assert charge_of(checkout).status == "CAPTURED"


def _recorded(shop: Shop) -> dict[str, Any]:
    """A payment that is over, and all its events; the same one for every example."""
    found = Charge.objects.select_related("checkout").first()
    if found is not None:
        return {"checkout_id": found.checkout.checkout_id}
    checkout = open_page(shop)
    buy(shop, checkout)
    _ask(shop)
    return checkout


def test_a_payment_that_is_locked_does_not_hold_the_acknowledgement_f_c16(shop: Shop) -> None:
    """F-C16: only the insert is synchronous; what is slow is the worker's."""
    checkout = open_page(shop)
    buy(shop, checkout)
    told_of = event(shop, checkout, "checkout.session.completed")
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        assert lock_charge(charge_id=charge_of(checkout).id) is not None
        began = time.monotonic()
        assert pool.submit(_in_thread, deliver, shop, told_of).result() == 200
        assert time.monotonic() - began < 1
        working = pool.submit(_in_thread, process)
        eventually(_waits_for_a_lock, what="the worker waits for the payment")
        assert InboxWork.objects.get().status == "RECEIVED"
    working.result()
    assert InboxWork.objects.get().status == "DONE"
    shop.work()
    assert shop.checkout(checkout["id"])["status"] == "succeeded"


def _in_thread(function: Any, *args: Any) -> Any:
    try:
        return function(*args)
    finally:
        connection.close()


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])
