"""Every fault on demand: what the caller sees, and what the journal says really happened."""

from __future__ import annotations

import json
import time

import pytest
import requests
import stripe
import urllib3

PAY = {"amount": 1000, "currency": "usd", "payment_method_types": ["card"], "payment_method": "pm_card_visa",
       "confirm": True}  # fmt: skip


def pay(account, *, key: str = "k", timeout: float = 0.5, **params):
    return account.quick(timeout=timeout).payment_intents.create({**PAY, **params}, {"idempotency_key": key})


def cause(error: BaseException) -> BaseException:
    """What lies under the SDK's connection error."""
    return error.__context__


def test_charged_but_timeout(account):
    """F-A5: the money is taken, the answer never comes; the same key then tells the truth."""
    account.arm("charged_but_timeout")
    with pytest.raises(stripe.APIConnectionError) as caught:
        pay(account)
    assert isinstance(cause(caught.value), requests.exceptions.ReadTimeout)
    assert account.kinds() == ["charge.captured"]
    again = pay(account, timeout=5)
    assert again.status == "succeeded"
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert account.kinds() == ["charge.captured"]


def test_not_charged_timeout(account):
    """The same silence with nothing behind it: only asking can tell the two apart."""
    account.arm("not_charged_timeout")
    with pytest.raises(stripe.APIConnectionError) as caught:
        pay(account)
    assert isinstance(cause(caught.value), requests.exceptions.ReadTimeout)
    assert account.kinds() == []
    assert "Idempotent-Replayed" not in pay(account, timeout=5).last_response.headers
    assert account.kinds() == ["charge.captured"]


@pytest.mark.parametrize("effect", [True, False])
def test_connection_reset_after_the_body(account, effect):
    """F-A7."""
    account.arm("connection_reset_after_body", effect=effect)
    with pytest.raises(stripe.APIConnectionError) as caught:
        pay(account)
    assert isinstance(cause(caught.value), requests.exceptions.ConnectionError)
    assert "reset" in str(cause(caught.value)).lower()
    assert account.kinds() == (["charge.captured"] if effect else [])


def test_connections_refused_and_again_accepted(account):
    """F-A6: the port is really closed, for pooled connections too; the control port stays open."""
    v1 = account.quick(timeout=5)
    v1.balance.retrieve()
    assert account.sandbox.control("POST", "listener", {"open": False}) == {"open": False}
    with pytest.raises(stripe.APIConnectionError) as caught:
        v1.payment_intents.create(PAY)
    reason = cause(caught.value).args[0].reason
    assert isinstance(reason, urllib3.exceptions.NewConnectionError)
    assert account.kinds() == []
    assert account.sandbox.control("POST", "listener", {"open": True}) == {"open": True}
    assert v1.payment_intents.create(PAY).status == "succeeded"


def test_connections_refused_for_some_seconds(account, until):
    account.sandbox.control("POST", "listener", {"open": False, "seconds": 0.3})
    assert not account.sandbox.healthy()
    until(account.sandbox.healthy)


def test_the_main_port_cannot_close_itself(account):
    answer = requests.post(f"{account.sandbox.url}/_sandbox/listener", json={"open": False}, timeout=5)
    assert answer.status_code == 400
    assert account.sandbox.healthy()


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        ("http_502", 502, stripe.APIError),
        ("http_503", 503, stripe.APIError),
        ("empty_500", 500, stripe.APIError),
        ("http_429", 429, stripe.RateLimitError),
        ("http_409", 409, stripe.APIError),
    ],
)
def test_bad_statuses_change_nothing(account, kind, status, error):
    """F-A8, F-A9, F-A11."""
    account.arm(kind, times=2, retry_after=7)
    for _ in range(2):
        with pytest.raises(error) as caught:
            pay(account, timeout=5)
        assert caught.value.http_status == status
        if kind not in ("http_502", "empty_500"):  # the SDK loses the headers of what it cannot read
            assert caught.value.headers["Retry-After"] == "7"
    assert account.kinds() == []
    assert pay(account, timeout=5).status == "succeeded"


@pytest.mark.parametrize("kind", ["http_502", "http_503", "empty_500"])
def test_bad_statuses_may_hide_an_effect(account, kind):
    account.arm(kind, effect=True)
    with pytest.raises(stripe.APIError):
        pay(account, timeout=5)
    assert account.kinds() == ["charge.captured"]
    assert pay(account, timeout=5).last_response.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("kind", ["broken_json", "truncated_json", "wrong_content_type"])
def test_unreadable_answers_hide_the_effect(account, kind):
    """F-A8."""
    account.arm(kind)
    with pytest.raises((stripe.APIError, stripe.APIConnectionError)):
        pay(account, timeout=5)
    assert account.kinds() == ["charge.captured"]


def test_the_502_page_is_html(account):
    account.arm("http_502")
    answer = requests.get(
        f"{account.sandbox.url}/v1/balance", headers={"Authorization": f"Bearer {account.key}"}, timeout=5
    )
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    with pytest.raises(json.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize(("kind", "seconds"), [("slow", 1.5), ("slow_drip", 1.5)])
def test_slow(account, kind, seconds):
    """F-A12."""
    account.arm(kind, seconds=seconds)
    started = time.monotonic()
    assert pay(account, timeout=5).status == "succeeded"
    assert time.monotonic() - started >= seconds * 0.9
    started = time.monotonic()
    pay(account, key="other", timeout=5)
    assert time.monotonic() - started < seconds * 0.9


@pytest.mark.parametrize(
    ("spec", "amount", "currency"),
    [
        ({}, 999, "usd"),
        ({"short_by": 400}, 600, "usd"),
        ({"amount": 5}, 5, "usd"),
        ({"currency": "eur"}, 1000, "eur"),
    ],
)
def test_partial_approval(account, spec, amount, currency):
    """F-A13: the bank approves another amount or another currency than asked."""
    account.arm("partial_approval", **spec)
    intent = pay(account, timeout=5)
    assert (intent.amount, intent.amount_received, intent.currency) == (1000, amount, currency)
    (entry,) = account.journal()
    assert (entry["amount"], entry["currency"]) == (amount, currency)


@pytest.mark.parametrize(
    "match",
    [
        {"operation": "payment_intents.confirm"},
        {"operation": "payment_intents.*", "amount": 1234},
        {"metadata": {"order": "x"}},
        {"token": "pm_card_mastercard"},
        {"idempotency_key": "the-one"},
        {"operation": "payment_intents.confirm", "currency": "eur"},
    ],
)
def test_faults_strike_only_what_they_match(account, match):
    account.arm("http_503", times=None, **match)
    other = account.intent(payment_method="pm_card_visa")
    if match.get("operation") != "payment_intents.confirm" or "currency" in match:
        account.v1.payment_intents.confirm(other.id, {}, {"idempotency_key": "another"})
    account.sandbox.control("DELETE", "faults")
    mine = account.intent(
        payment_method="pm_card_mastercard", amount=1234, currency="eur", metadata={"order": "x"}
    )
    account.arm("http_503", times=None, **match)
    with pytest.raises(stripe.APIError) as caught:
        account.v1.payment_intents.confirm(mine.id, {}, {"idempotency_key": "the-one"})
    assert caught.value.http_status == 503


def test_other_accounts_are_spared(account):
    other = type(account)(account.sandbox)
    account.arm("http_503")
    assert other.paid().status == "succeeded"


def test_skip_and_times(account):
    account.arm("http_503", skip=1, times=2)
    seen = []
    for _ in range(4):
        try:
            account.v1.balance.retrieve()
            seen.append(200)
        except stripe.APIError as error:
            seen.append(error.http_status)
    assert seen == [200, 503, 503, 200]


def test_probability_is_deterministic_by_seed(account):
    def outcomes(seed: int) -> list[bool]:
        """Which of 24 keys are struck; a key that passed stays free, because validation keeps nothing."""
        account.arm("http_503", probability=0.5, seed=seed, operation="payment_intents.create")
        seen = []
        for number in range(24):
            with pytest.raises(stripe.StripeError) as caught:
                account.intent(key=f"draw-{number}", amount=0)
            seen.append(caught.value.http_status == 503)
        account.sandbox.control("DELETE", "faults")
        return seen

    first, again, other = outcomes(1), outcomes(1), outcomes(2)
    assert first == again
    assert first != other
    assert 0 < sum(first) < 24


def test_magic_header_metadata_amount_and_card(account):
    headers = {"Authorization": f"Bearer {account.key}", "X-Sandbox-Fault": "http_503"}
    answer = requests.get(f"{account.sandbox.url}/v1/balance", headers=headers, timeout=5)
    assert answer.status_code == 503
    for params in (
        {"metadata": {"sandbox_fault": "charged_but_timeout:30"}},
        {"amount": 990_010},
        {"payment_method": "pm_card_sandboxChargedButTimeout"},
    ):
        intent = account.intent(**{"payment_method": "pm_card_visa", **params})
        before = len(account.journal())
        with pytest.raises(stripe.APIConnectionError):
            account.quick(timeout=0.4).payment_intents.confirm(intent.id)
        assert len(account.journal()) == before + 1
        assert account.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_magic_strikes_once_per_payment(account):
    intent = account.intent(payment_method="pm_card_visa", metadata={"sandbox_fault": "not_charged_timeout"})
    with pytest.raises(stripe.APIConnectionError):
        account.quick(timeout=0.3).payment_intents.confirm(intent.id, {}, {"idempotency_key": "k"})
    assert account.v1.payment_intents.confirm(intent.id, {}, {"idempotency_key": "k"}).status == "succeeded"


def test_wrong_descriptions_are_refused(account):
    control = account.sandbox.control
    for spec in (
        {"kind": "nonsense"},
        {"kind": "slow", "typo": 1},
        {"kind": "webhook_forge", "forgery": "odd"},
        {},
    ):
        assert "error" in control("POST", "faults", spec, status=400)
    assert account.sandbox.get("faults") == []
    control("GET", "nothing", status=404)
    control("PUT", "faults", {}, status=405)


def test_requests_are_logged_with_their_fault(account):
    account.arm("not_charged_timeout")
    with pytest.raises(stripe.APIConnectionError):
        pay(account, timeout=0.3)
    pay(account, timeout=5)
    pay(account, timeout=5)
    rows = account.sandbox.get(f"requests?account={account.id}")
    assert [(row["status"], row["replayed"], row["faults"]) for row in rows] == [
        (None, False, ["not_charged_timeout"]),
        (200, False, []),
        (200, True, []),
    ]
    assert rows[0]["params"]["amount"] == "1000"


def test_a_fault_may_be_disarmed_by_its_id(account):
    armed = account.arm("http_503")
    assert account.sandbox.control("DELETE", f"faults/{armed['id']}") == {"disarmed": 1}
    account.v1.balance.retrieve()
