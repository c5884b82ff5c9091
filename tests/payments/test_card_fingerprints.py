"""A card is counted by what the provider knows it by: new tokens of it, other keys and buyers do not help."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from channels.models import Channel
from core.drain import Claim, get_drain
from core.failpoints import arm, fired
from core.ids import public_id
from core.limits.buckets import Bucket, Limit, Standing, Taken
from core.limits.policy import bucket_of
from core.models import AttemptBucket, StatusChange
from ledger.models import JournalEntry
from merchants.services import create_api_key
from payments.engine import card_limit
from payments.models import Charge, PaymentEvent, PspOperation
from payments.services import execute_operation
from risk.models import RiskFact
from tests.payments.conftest import Shop, open_shop
from tests.payments.purses import open_purse
from tests.payments.test_saved_methods import saving, with_saved
from tests.racing import race
from tests.store import Store

pytestmark = pytest.mark.usefixtures("hooks")

Limits = Callable[..., None]
TOO_OFTEN = {
    "code": "card_attempts_exceeded",
    "message": "There were too many attempts with this card. Try again later.",
    "decline_code": None,
    "retryable": True,
}
LIMIT = "card_fingerprint.test"
AWAY = "redis://127.0.0.1:1/0"


def allow(limits: Limits, attempts: int, **scope: str) -> None:
    """So many attempts with a card, of which none comes back within a test."""
    limits({LIMIT: (1, 3600, attempts)}, **scope)


def fresh_token(shop: Shop, card: str = "tok_visa") -> str:
    """What a fraudster's browser makes of the same card number once more."""
    client = shop.provider.client(shop.account_key).v1
    return str(client.payment_methods.create({"type": "card", "card": {"token": card}}).id)


def ends(*checkouts: dict[str, Any]) -> list[str]:
    return [each["status"] for each in checkouts]


def failures(checkout: dict[str, Any]) -> list[Any]:
    return [order["failure"] for order in checkout["payment_orders"]]


def counted() -> int:
    """How many attempts the one bucket holds; its limit lets one come back in an hour."""
    full_at = AttemptBucket.objects.get().full_at
    return round((full_at / 1_000_000 - time.time()) / 3600)


def test_many_tokens_of_one_card_with_many_keys_a_h1(shop: Shop, limits: Limits) -> None:
    """A-H1: one card is tried so often and no oftener; what is refused is closed, and not charged."""
    allow(limits, 3)
    with transaction.atomic():
        keys = [create_api_key(merchant_id=shop.store.merchant_id, name=f"k{n}") for n in range(2)]
    doors = [shop.store, *(Store(shop.store.merchant_id, key.id, key.secret) for key in keys)]
    seen = []
    for attempt in range(5):
        shop.store = doors[attempt % 3]
        seen.append(shop.pay(shop.body(token=fresh_token(shop), buyer_info={"buyer_account": f"b{attempt}"})))
    assert ends(*seen) == ["succeeded"] * 3 + ["failed"] * 2
    assert len(shop.captures()) == 3 == JournalEntry.objects.filter(source="charge").count()
    for refused in seen[3:]:
        assert failures(refused) == [TOO_OFTEN, TOO_OFTEN]
        charge = Charge.objects.get(checkout__checkout_id=refused["checkout_id"])
        assert (charge.status, charge.failure["code"]) == ("CANCELED", "card_attempts_exceeded")
        intent = shop.provider.client(shop.account_key).v1.payment_intents.retrieve(charge.psp_reference)
        assert (intent.status, intent.latest_charge) == ("canceled", None)
        steps = PspOperation.objects.filter(charge=charge).order_by("id").values_list("kind", "status")
        assert list(steps) == [("register", "SUCCEEDED"), ("expire", "SUCCEEDED")]
    assert ends(shop.pay(shop.body(token=fresh_token(shop, "tok_mastercard")))) == ["succeeded"]
    tried = AttemptBucket.objects.values_list("name", flat=True)
    card = shop.provider.client(shop.account_key).v1.payment_methods.retrieve(fresh_token(shop)).card
    assert len(tried) == 2 and not any(card.fingerprint in name for name in tried), "digests only"


def test_declined_attempts_count_like_others_a_h1(shop: Shop, limits: Limits) -> None:
    """A-H1: it is the cards that are declined which are tried out."""
    allow(limits, 2)
    seen = [shop.pay(shop.body(token="pm_card_chargeDeclined")) for _ in range(3)]
    assert [failures(each)[0]["code"] for each in seen] == ["card_declined"] * 2 + ["card_attempts_exceeded"]
    assert len(shop.requests("payment_intents.confirm")) == 2
    assert RiskFact.objects.filter(kind="declined").count() == 2, "what was not tried is no decline"


def test_top_ups_are_attempts_too_a_h1(shop: Shop, limits: Limits) -> None:
    """A-H1: cards are not tried out by way of a wallet either; one that is kept as well counts once."""
    allow(limits, 2)
    purse = open_purse(shop)
    seen = []
    for save in (True, False, False):
        card = {"token": fresh_token(shop), "save": save}
        path = f"/v1/wallets/{public_id('wal', purse.wallet().id)}/top_ups"
        body = {"amount": "30.00", "currency": "USD", "credit_card_info": card}
        answer = shop.store.post(path, body, key=uuid.uuid4().hex)
        assert answer.status_code == 201, answer.content
        shop.work()
        seen.append(shop.store.get(f"/v1/top_ups/{answer.json()['id']}").json())
    assert [each["top_up_status"] for each in seen] == ["SUCCESS", "SUCCESS", "FAILED"]
    assert seen[2]["failure"] == TOO_OFTEN
    assert (purse.left(), len(shop.captures())) == ((60_00, 0), 2)
    assert ends(shop.pay()) == ["failed"], "checkouts and top-ups share the card's count"


def test_no_call_and_one_statement_more_than_without(shop: Shop, limits: Limits) -> None:
    """What is counted is told by the call that is made anyway; without a limit nothing is done at all."""
    calls, statements = [], []
    for attempts in (0, 9):
        if attempts:
            allow(limits, attempts)
        shop.accept(shop.body(token=fresh_token(shop)))
        before = len(shop.requests())
        claim = get_drain("operations").claim(limit=1)[0]
        with CaptureQueriesContext(connection) as queries:
            execute_operation(claim=claim)
        calls.append([each["operation"] for each in shop.requests()[before:]])
        statements.append([each["sql"] for each in queries if "attemptbucket" in each["sql"]])
    assert calls[0] == calls[1] == ["payment_intents.create", "payment_intents.confirm"]
    assert [len(each) for each in statements] == [0, 1]


def test_the_limit_is_one_for_all_tokens_and_methods_of_a_card(shop: Shop, limits: Limits) -> None:
    """A saved method, whoever's, is counted with the card's other tokens."""
    kept = [shop.pay(saving(shop, "pm_card_visa", buyer)) for buyer in ("b-1", "b-2")]
    assert ends(*kept) == ["succeeded"] * 2
    listed = [
        shop.store.get(f"/v1/buyers/{buyer}/payment_methods").json()["data"][0]["id"]
        for buyer in ("b-1", "b-2")
    ]
    allow(limits, 3)
    seen = [shop.pay(with_saved(shop, listed[0], "b-1")), shop.pay(with_saved(shop, listed[1], "b-2"))]
    seen += [shop.pay(), shop.pay(with_saved(shop, listed[0], "b-1")), shop.pay()]
    assert ends(*seen) == ["succeeded"] * 3 + ["failed"] * 2
    assert [failures(each)[0] for each in seen[3:]] == [TOO_OFTEN] * 2


def test_other_merchants_count_for_themselves(shop: Shop, limits: Limits) -> None:
    """Merchants share nothing: neither limits nor what is counted."""
    allow(limits, 1, scope=public_id("mer", shop.store.merchant_id))
    other = open_shop(shop.provider, shop.provider.url)
    assert ends(shop.pay(), shop.pay()) == ["succeeded", "failed"]
    assert ends(other.pay(), other.pay()) == ["succeeded"] * 2
    allow(limits, 1, scope=public_id("mer", other.store.merchant_id))
    assert ends(other.pay(), other.pay()) == ["succeeded", "failed"]


def test_live_merchants_have_a_limit_and_test_merchants_none(shop: Shop) -> None:
    live, test = (bucket_of(setting=f"card_fingerprint.{mode}", subject="x") for mode in ("live", "test"))
    assert live is not None and live.limit == Limit(calls=20, seconds=3600, burst=10)
    assert test is None
    assert ends(shop.pay()) == ["succeeded"]
    assert not AttemptBucket.objects.exists()


def test_redis_away_changes_nothing_a_h1(shop: Shop, limits: Limits, settings: Any) -> None:
    """A-H1: the count is in PostgreSQL: it is neither lost with Redis nor any looser without it."""
    allow(limits, 2)
    assert ends(shop.pay()) == ["succeeded"]
    settings.REDIS_URL = AWAY
    assert ends(shop.pay(), shop.pay()) == ["succeeded", "failed"]
    assert (len(shop.captures()), counted()) == (2, 2)


def test_a_card_without_a_fingerprint_is_counted_by_its_token_only(shop: Shop, limits: Limits) -> None:
    """Some wallets hide the card: then the limits at the door are all there is."""
    allow(limits, 1)
    token = "pm_card_sandboxGooglePayUnnamed"
    assert ends(*(shop.pay(shop.body(token=token)) for _ in range(3))) == ["succeeded"] * 3
    assert not AttemptBucket.objects.exists()
    assert shop.pay(saving(shop, token))["status"] == "succeeded"
    limits({LIMIT: (1, 3600, 1), "card.test": (1, 3600, 1)})
    answers = [
        shop.store.post("/v1/payments", shop.body(token=token), key=uuid.uuid4().hex) for _ in range(2)
    ]
    assert [each.status_code for each in answers] == [201, 429]


# What many do at once


def claims(shop: Shop, count: int) -> list[Claim]:
    """So many payments with one card, each in a worker's hands."""
    Channel.objects.update(max_in_flight=count)
    for _ in range(count):
        shop.accept(shop.body(shop.order()))
    found = get_drain("operations").claim(limit=count)
    assert len(found) == count
    return found


def run(claim: Claim) -> Callable[[], None]:
    return lambda: execute_operation(claim=claim)


def statuses() -> Counter[str]:
    return Counter(Charge.objects.values_list("status", flat=True))


def test_thirty_at_once_are_as_many_as_are_allowed_a_h1(shop: Shop, limits: Limits) -> None:
    """A-H1: all are judged at the same moment, and no more pass than one after the other."""
    allow(limits, 7)
    results = race([run(claim) for claim in claims(shop, 30)])
    assert results == [None] * 30
    assert statuses() == {"CAPTURED": 7, "CANCELED": 23}
    assert (len(shop.captures()), counted()) == (7, 7)


def test_a_count_that_is_read_and_then_written_would_let_all_pass(
    shop: Shop, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the race: the same payments, with a count that looks before it charges."""
    everybody_looked = threading.Barrier(6)

    def look_then_charge(bucket: Bucket) -> Taken:
        row = AttemptBucket.objects.filter(name=bucket.name).first()
        now = int(time.time() * 1_000_000)
        full_at = max(row.full_at if row else 0, now) + bucket.limit.interval
        everybody_looked.wait(20)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO core_attemptbucket (name, full_at) VALUES (%s, %s)"
                " ON CONFLICT (name) DO UPDATE SET full_at = EXCLUDED.full_at",
                [bucket.name, full_at],
            )
        return Taken(full_at - now <= bucket.limit.window, (Standing(bucket, full_at - now),))

    allow(limits, 2)
    monkeypatch.setattr(card_limit, "charge", look_then_charge)
    race([run(claim) for claim in claims(shop, 6)])
    assert statuses() == {"CAPTURED": 6}


# What dies in between


def recover(shop: Shop, owner_sql: Any) -> None:
    for _ in range(3):
        owner_sql("UPDATE payments_pspoperation SET leased_until = NULL WHERE due_at IS NOT NULL")
        shop.later(31)


@pytest.mark.parametrize("where", ["after_effect", "before_commit", "after_commit"])
def test_a_crash_between_register_and_confirm_counts_once(
    shop: Shop, limits: Limits, owner_sql: Any, where: str
) -> None:
    """F-A2, F-A3: whether the answer was recorded or not, the attempt is one, and is paid."""
    allow(limits, 3)
    arm(f"execute.{where}.register", "raise")
    first = shop.accept(shop.body())
    shop.work()
    recover(shop, owner_sql)
    assert len(fired(f"execute.{where}.register")) == 1
    assert shop.checkout(first["id"])["status"] == "succeeded"
    assert (counted(), len(shop.captures())) == (1, 1)


@pytest.mark.parametrize(
    ("step", "where"),
    [
        ("register", "after_effect"),
        ("register", "before_commit"),
        ("register", "after_commit"),
        ("expire", "after_effect"),
        ("expire", "before_commit"),
    ],
)
def test_a_crash_after_the_refusal_never_lets_it_pay(
    shop: Shop, limits: Limits, owner_sql: Any, step: str, where: str
) -> None:
    """The reason survives with the charge: whoever goes on closes it, and tells the store why."""
    allow(limits, 1)
    shop.pay()
    arm(f"execute.{where}.{step}", "raise")
    refused = shop.accept(shop.body())
    shop.work()
    recover(shop, owner_sql)
    assert len(fired(f"execute.{where}.{step}")) == 1
    seen = shop.checkout(refused["id"])
    assert (seen["status"], failures(seen)) == ("failed", [TOO_OFTEN, TOO_OFTEN])
    assert (counted(), len(shop.captures())) == (1, 1)
    assert len(shop.requests("payment_intents.confirm")) == 1


# What is one attempt, and what is none


def test_charges_of_one_checkout_are_one_attempt(shop: Shop, limits: Limits) -> None:
    """best_effort: twelve sellers are not twelve attempts; and all are refused where one would be."""
    allow(limits, 2)
    orders = [shop.order() for _ in range(4)]
    whole = shop.body(*orders, multi_order_policy="best_effort", token=fresh_token(shop))
    assert (shop.pay(whole)["status"], counted()) == ("succeeded", 1)
    assert (shop.pay()["status"], counted()) == ("succeeded", 2)
    again = shop.body(shop.order(), shop.order(), multi_order_policy="best_effort", token=fresh_token(shop))
    refused = shop.pay(again)
    assert (refused["status"], failures(refused)) == ("failed", [TOO_OFTEN, TOO_OFTEN])
    assert (len(shop.captures()), counted()) == (5, 2)


def test_charges_with_a_saved_method_share_the_verdict(shop: Shop, limits: Limits) -> None:
    """Without a token to be made reusable they are registered side by side."""
    shop.pay(saving(shop))
    kept = shop.store.get("/v1/buyers/b-1/payment_methods").json()["data"][0]["id"]
    allow(limits, 1)
    seen = [shop.pay(with_saved(shop, kept, multi_order_policy="best_effort")) for _ in range(2)]
    assert ends(*seen) == ["succeeded", "failed"]
    assert failures(seen[1]) == [TOO_OFTEN, TOO_OFTEN]
    assert (len(shop.captures()), counted()) == (3, 1)


def test_a_new_attempt_counts_again_and_may_have_another_card(shop: Shop, limits: Limits) -> None:
    allow(limits, 1)
    shop.pay()
    both = {"multi_order_policy": "best_effort"}
    refused = shop.pay(shop.body(shop.order(), shop.order(), token=fresh_token(shop), **both))
    assert refused["status"] == "failed"

    def attempt(card: str) -> dict[str, Any]:
        content = {"credit_card_info": {"token": fresh_token(shop, card)}}
        path = f"/v1/checkouts/{refused['id']}/attempts"
        assert shop.store.post(path, content, key=uuid.uuid4().hex).status_code == 201
        shop.work()
        return shop.checkout(refused["id"])

    assert failures(attempt("tok_visa")) == [TOO_OFTEN, TOO_OFTEN]
    assert attempt("tok_mastercard")["status"] == "succeeded"


def test_a_payment_that_nobody_wants_any_more_is_no_attempt(shop: Shop, limits: Limits) -> None:
    allow(limits, 1)
    accepted = shop.accept(shop.body())
    arm("execute.after_effect.register", "raise")
    shop.work()
    path = f"/v1/checkouts/{accepted['id']}/cancellations"
    assert shop.store.post(path, None, key="k").status_code in (200, 201)
    shop.later(31)
    shop.later(31)
    assert shop.checkout(accepted["id"])["status"] == "canceled"
    assert not AttemptBucket.objects.exists()


# Where the token is made reusable first


def test_a_card_is_looked_at_before_it_is_attached_a_h1(shop: Shop, limits: Limits) -> None:
    """A-H1: attaching tries the card out as well, so a card over its limit is not even attached."""
    allow(limits, 2)
    seen = [shop.pay(saving(shop, "pm_card_chargeDeclined")) for _ in range(3)]
    assert [failures(each)[0]["code"] for each in seen] == ["card_declined"] * 2 + ["card_attempts_exceeded"]
    assert len(shop.requests("payment_methods.attach")) == 2 == counted()
    assert len(shop.requests("payment_methods.retrieve")) == 3
    assert RiskFact.objects.filter(kind="declined").count() == 2, "risk learns of those that were tried"
    assert shop.requests("payment_intents.create") == []


def test_without_a_limit_nobody_looks(shop: Shop) -> None:
    assert shop.pay(saving(shop))["status"] == "succeeded"
    assert shop.requests("payment_methods.retrieve") == []


def test_a_token_that_nobody_knows_fails_as_ever(shop: Shop, limits: Limits) -> None:
    allow(limits, 1)
    seen = [shop.pay(saving(shop, "pm_nobody")), shop.pay(shop.body(token="pm_nobody"))]
    assert [failures(each)[0]["code"] for each in seen] == ["invalid_payment_method"] * 2
    assert not AttemptBucket.objects.exists()
    assert RiskFact.objects.filter(kind="declined").count() == 2


@pytest.mark.parametrize("attempts", [1, 2])
@pytest.mark.parametrize("where", ["after_effect", "before_commit"])
def test_a_crash_around_attaching_counts_once(
    shop: Shop, limits: Limits, owner_sql: Any, where: str, attempts: int
) -> None:
    """The verdict is stored with the count: it is neither asked for nor counted again."""
    allow(limits, attempts)
    shop.pay()
    arm(f"execute.{where}.attach", "raise")
    accepted = shop.accept(saving(shop))
    shop.work()
    for _ in range(2):
        recover(shop, owner_sql)
    assert len(fired(f"execute.{where}.attach")) == 1
    expected = {1: ("failed", "refused", 1), 2: ("succeeded", "counted", 2)}[attempts]
    verdict = PaymentEvent.objects.get(checkout_id=accepted["checkout_id"]).card_attempt
    assert (shop.checkout(accepted["id"])["status"], verdict, counted()) == expected
    assert len(shop.captures()) == attempts
    looks = 2 if where == "after_intent" and attempts == 0 else 1
    assert len(shop.requests("payment_methods.retrieve")) == looks


def test_the_history_says_why(shop: Shop, limits: Limits) -> None:
    """What support reads on the payment's page, and what the store's feed tells."""
    allow(limits, 1)
    shop.pay()
    refused = shop.pay()
    charge = Charge.objects.get(checkout__checkout_id=refused["checkout_id"])
    reasons = list(
        StatusChange.objects.filter(subject_id=charge.pk).order_by("id").values_list("reason", flat=True)
    )
    assert "registered, and not paid: too many attempts" in reasons
