"""The bank's payables API: payees, batches, what becomes of each payment, faults, races."""

from __future__ import annotations

import signal
import threading
import urllib.error

import pytest

from tests.sandbox.bank_client import CLOSED, DEFERRED, IBAN, RETURNED, UNPAYABLE, WRONG, Customer, payment

DAY = 86_400


@pytest.fixture
def customer(sandbox):
    """A customer whose payments are decided when the test says so."""
    sandbox.control("POST", "bank", {"seconds": None})
    yield Customer(sandbox)
    sandbox.control("DELETE", "faults")
    sandbox.control("POST", "bank", {"seconds": 0, "outcome": "paid"})


def test_a_batch_is_accepted_and_paid_once_at_the_next_step(customer):
    """I27: whatever is sent again, the journal says that each was paid once."""
    assert customer.payee()["is_payable"] is True
    items = payment("p-1"), payment("p-2", "0.05")
    status, answer = customer.batch("b-1", *items)
    assert (status, [row["status"] for row in answer["payments"]]) == (201, ["accepted", "accepted"])
    assert customer.state("p-1") == "submitted"
    assert customer.totals() == {}
    assert customer.batch("b-1", *items) == (200, answer)
    assert customer.control("POST", "settle", {"owner": customer.key}) == {"decided": 2}
    assert customer.control("POST", "settle", {"owner": customer.key}) == {"decided": 0}
    assert customer.totals() == {"p-1": (1, 0, 1000), "p-2": (1, 0, 5)}
    now = customer.send("GET", "v1/batches/b-1")[1]
    assert [row["payment"]["state"] for row in now["payments"]] == ["paid", "paid"]
    assert customer.batch("b-1", *items) == (200, answer)
    assert customer.totals()["p-1"] == (1, 0, 1000)


def test_a_batch_reference_is_used_for_one_batch(customer):
    customer.payee()
    customer.batch("b-1", payment("p-1"))
    status, refused = customer.batch("b-1", payment("p-1", "11.00"))
    assert (status, refused["error"]["code"]) == (409, "batch_ref_reused")
    assert customer.look("p-1")["amount"] == "10.00"


def test_a_reference_pays_once_ever_and_another_pays_again(customer):
    """F-F14: a duplicate is told with the state of the first; only another reference pays twice."""
    customer.payee()
    customer.batch("b-1", payment("p-1"))
    customer.control("POST", "settle", {"owner": customer.key})
    _, again = customer.batch("b-2", payment("p-1"), payment("p-1", "12.00"), payment("p-2"))
    assert [(row["status"], row["payment"]["state"]) for row in again["payments"]] == [
        ("duplicate", "paid"), ("conflict", "paid"), ("accepted", "submitted"),
    ]  # fmt: skip
    customer.control("POST", "settle", {"owner": customer.key})
    assert customer.totals() == {"p-1": (1, 0, 1000), "p-2": (1, 0, 1000)}


def test_payments_of_one_batch_are_answered_one_by_one(customer):
    customer.payee()
    customer.payee("closed", CLOSED)
    customer.payee("wrong", WRONG)
    customer.payee("blocked", UNPAYABLE)
    customer.control("POST", "accounts/PAYABLES-EUR", {"owner": customer.key, "balance": "25.00"})
    _, answer = customer.batch(
        "b-1", payment("good"), payment("closed", payee="closed"), payment("wrong", payee="wrong"),
        payment("blocked", payee="blocked"), payment("nobody", payee="nobody"), payment("nothing", "0.00"),
        payment("dollars", currency="USD"), payment("much", "10.00"),
    )  # fmt: skip
    said = {
        row["ref_code"]: (row["status"], row["reason"] and row["reason"]["code"])
        for row in answer["payments"]
    }
    assert said == {
        "good": ("accepted", None), "closed": ("accepted", None), "wrong": ("rejected", "AC01"),
        "blocked": ("rejected", "AC06"), "nobody": ("rejected", "BE06"), "nothing": ("rejected", "AM01"),
        "dollars": ("rejected", "AM03"), "much": ("rejected", "AM04"),
    }  # fmt: skip
    customer.control("POST", "settle", {"owner": customer.key})
    assert (customer.look("closed")["state"], customer.look("closed")["reason"]["code"]) == (
        "rejected",
        "AC04",
    )
    assert customer.totals() == {"good": (1, 0, 1000)}
    (account, _) = customer.control("GET", f"accounts?owner={customer.key}")["data"]
    assert account["balance"] == "15.00"


def test_the_answer_counts_a_payment_whose_money_went_elsewhere_meanwhile(customer):
    customer.payee()
    customer.batch("b-1", payment("p-1"))
    customer.control("POST", "accounts/PAYABLES-EUR", {"owner": customer.key, "balance": "9.99"})
    customer.control("POST", "settle", {"owner": customer.key})
    assert customer.look("p-1")["reason"]["code"] == "AM04"
    assert customer.totals() == {}


@pytest.mark.parametrize(
    ("items", "code", "param"),
    [
        ([payment(f"p-{n}") for n in range(251)], "too_many_payments", "payments"),
        ([], "parameter_invalid", "payments"),
        ([payment("p 1")], "parameter_invalid", "payments[0].ref_code"),
        ([payment("p-1"), {**payment("p-2"), "amount": 10}], "parameter_invalid", "payments[1].amount"),
        ([payment("p-1", "10.0")], "parameter_invalid", "payments[0].amount"),
        ([payment("p-1", "10.00", currency="JPY")], "parameter_invalid", "payments[0].amount"),
        ([payment("p-1", "-1.00")], "parameter_invalid", "payments[0].amount"),
        ([payment("p-1", currency="XXQ")], "parameter_invalid", "payments[0].currency"),
        ([{**payment("p-1"), "urgent": True}], "parameter_invalid", "payments[0]"),
    ],
)
def test_what_has_not_the_shape_refuses_the_whole_batch(customer, items, code, param):
    customer.payee()
    status, refused = customer.batch("b-1", *items)
    assert (status, refused["error"]["code"], refused["error"]["param"]) == (400, code, param)
    assert customer.send("GET", "v1/batches/b-1")[0] == 404
    assert customer.send("GET", "v1/payments")[1]["data"] == []


@pytest.mark.parametrize(("currency", "amount", "minor"), [("JPY", "1000", 1000), ("KWD", "1.005", 1005)])
def test_amounts_have_the_decimals_of_their_currency(customer, currency, amount, minor):
    """F-F12."""
    customer.payee(currency=currency)
    customer.batch("b-1", payment("p-1", amount, currency=currency))
    customer.control("POST", "settle", {"owner": customer.key})
    assert customer.look("p-1")["amount"] == amount
    assert customer.totals() == {"p-1": (1, 0, minor)}


@pytest.mark.parametrize(
    ("account", "reasons"),
    [
        ({"type": "iban", "iban": "de89 3704 0044 0532 0130 00"}, []),
        ({"type": "iban", "iban": "DE88370400440532013000"}, ["AC01"]),
        ({"type": "iban", "iban": "DE8937040044053201300"}, ["AC01"]),
        ({"type": "iban", "iban": UNPAYABLE}, ["AC06"]),
        ({"type": "us_account", "routing_number": "021000021", "account_number": "12345678"}, []),
        ({"type": "us_account", "routing_number": "021000022", "account_number": "12345678"}, ["AC01"]),
    ],
)
def test_the_bank_checks_account_numbers_itself(customer, account, reasons):
    told = customer.payee(account=account)
    assert ([row["code"] for row in told["reasons"]], told["is_payable"]) == (reasons, not reasons)
    assert customer.send("GET", "v1/payees/ann")[1] == told
    assert set(told["account"]) == {"type", "last4"}


def test_an_account_that_changes_after_acceptance_changes_nothing(customer):
    """F-F6: what was accepted is what is paid."""
    customer.payee()
    customer.batch("b-1", payment("p-1"))
    customer.payee("ann", CLOSED)
    customer.control("POST", "payees/ann", {"owner": customer.key, "is_payable": False})
    customer.control("POST", "settle", {"owner": customer.key})
    (entry,) = customer.sandbox.get(
        "journal?metadata.ref_code=p-1&kind=payout.paid&account=" + _owner(customer)
    )
    assert (entry["metadata"]["creditor"], entry["amount"]) == (IBAN, -1000)
    assert customer.batch("b-2", payment("p-2"))[1]["payments"][0]["reason"]["code"] == "AC06"


def _owner(customer):
    return customer.control("GET", f"accounts?owner={customer.key}")["data"][0]["owner"]


def test_deferred_for_a_day_and_returned_on_the_third(own_sandbox):
    """F-F3: paid is not the end; the journal keeps both, and the fee stays with the bank."""
    box = own_sandbox()
    customer = Customer(box)
    customer.payee("late", DEFERRED)
    customer.payee("back", RETURNED)
    customer.control("POST", "accounts/PAYABLES-EUR", {"owner": customer.key, "fee": "0.20"})
    customer.batch("b-1", payment("late", payee="late"), payment("back", payee="back"))
    box.control("POST", "clock", {"seconds": 1})
    assert (customer.state("late"), customer.state("back")) == ("deferred", "paid")
    box.control("POST", "clock", {"seconds": DAY})
    assert customer.state("late") == "paid"
    box.control("POST", "clock", {"seconds": 2 * DAY})
    back = customer.look("back")
    assert (back["state"], back["reason"]["code"]) == ("returned", "AC04")
    assert back["paid_at"] < back["returned_at"]
    assert customer.totals() == {"late": (1, 0, 1000), "back": (1, 1, 0)}
    assert [row["kind"] for row in box.get("journal")] == [
        "payout.paid", "payout.fee", "payout.paid", "payout.fee", "payout.returned",
    ]  # fmt: skip
    assert customer.control("GET", "accounts")["data"][0]["balance"] == "999989.60"


def test_news_are_listed_by_their_number(customer):
    customer.payee()
    customer.batch("b-1", payment("p-1"), payment("p-2"))
    first = customer.send("GET", "v1/payments")[1]
    assert ([row["ref_code"] for row in first["data"]], first["has_more"]) == (["p-1", "p-2"], False)
    last = first["data"][-1]["seq"]
    customer.control("POST", "payments/p-1/pay", {"owner": customer.key})
    (changed,) = customer.send("GET", f"v1/payments?after={last}")[1]["data"]
    assert (changed["ref_code"], changed["state"]) == ("p-1", "paid")
    assert customer.send("GET", "v1/payments?after=x")[0] == 400


def test_the_control_api_decides_and_refuses_what_cannot_be(customer):
    customer.payee()
    customer.batch("b-1", payment("p-1"), payment("p-2"), payment("p-3"))
    mine = {"owner": customer.key}
    customer.control("POST", "payments/p-1/return", mine, status=400)
    customer.control("POST", "payments/p-1/pay", mine)
    customer.control("POST", "payments/p-1/pay", mine, status=400)
    assert customer.control("POST", "payments/p-1/return", {**mine, "reason": "MS03"})["state"] == "returned"
    assert customer.control("POST", "payments/p-2/reject", {**mine, "reason": "AC06"})["state"] == "rejected"
    assert customer.control("POST", "payments/p-3/defer", mine)["state"] == "deferred"
    customer.control("POST", "payments/p-3/explode", mine, status=400)
    customer.control("POST", "payments/p-9/pay", mine, status=400)
    customer.sandbox.control("POST", "bank", {"outcome": "maybe"}, status=400)
    customer.sandbox.control("POST", "bank", {"outcome": "closed"})
    customer.batch("b-2", payment("p-4"))
    customer.control("POST", "settle", {"batch": "b-2", **mine})
    assert (customer.state("p-4"), customer.state("p-3")) == ("rejected", "deferred")
    assert customer.totals() == {"p-1": (1, 1, 0)}


@pytest.mark.parametrize(
    ("amount", "known"), [("9900.10", True), ("9900.20", False), ("9900.30", True), ("9900.35", False)]
)
def test_silence_hides_what_happened_and_asking_tells(customer, amount, known):
    """F-F2: the batch was taken or not; the same batch again pays nobody twice."""
    customer.payee()
    with pytest.raises((OSError, urllib.error.URLError)):
        customer.batch("b-1", payment("p-1", amount), timeout=0.5)
    assert (customer.send("GET", "v1/batches/b-1")[0] == 200) is known
    assert (customer.send("GET", "v1/payments/p-1")[0] == 200) is known
    assert customer.batch("b-1", payment("p-1", amount))[0] == (200 if known else 201)
    customer.control("POST", "settle", {"owner": customer.key})
    assert customer.totals() == {"p-1": (1, 0, round(float(amount) * 100))}


@pytest.mark.parametrize(("kind", "status"), [("http_500", 500), ("http_503", 503), ("http_429", 429)])
def test_bad_statuses_change_nothing(customer, kind, status):
    customer.payee()
    customer.sandbox.arm(kind, operation="bank.batches.create", account=customer.key)
    assert customer.batch("b-1", payment("p-1"))[0] == status
    assert customer.send("GET", "v1/payments/p-1")[0] == 404
    assert customer.batch("b-1", payment("p-1"))[0] == 201


def test_an_answer_that_cannot_be_read_hides_the_effect(customer):
    customer.payee()
    with pytest.raises(ValueError):
        customer.batch("b-1", payment("p-1"), **{"X-Sandbox-Fault": "broken_json"})
    assert customer.state("p-1") == "submitted"
    assert customer.batch("b-2", payment("p-2"), **{"X-Sandbox-Fault": "nonsense"})[0] == 400


def test_races_for_one_reference_pay_once(customer):
    """I27: eight batches with the same reference at once; one is accepted."""
    customer.payee()
    barrier, said = threading.Barrier(8), []

    def send(number):
        barrier.wait(10)
        said.append(customer.batch(f"b-{number}", payment("p-1"))[1]["payments"][0]["status"])

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["accepted"] + ["duplicate"] * 7
    customer.control("POST", "settle", {"owner": customer.key})
    assert customer.totals() == {"p-1": (1, 0, 1000)}


def test_a_batch_killed_in_the_middle_pays_each_once(own_sandbox, until):
    """F-F4: some were paid when the bank died; the rest is paid when it is back, nothing twice."""
    box = own_sandbox()
    customer = Customer(box)
    customer.payee()
    customer.batch("b-1", *(payment(f"p-{number}") for number in range(250)))
    paid = until(lambda: totals if len(totals := customer.totals()) > 3 else None)
    assert len(paid) < 250
    box.end(signal.SIGKILL)
    box.start(port=box.info["port"])
    customer.batch("b-1", *(payment(f"p-{number}") for number in range(250)))
    until(lambda: len(customer.totals()) == 250)
    assert set(customer.totals().values()) == {(1, 0, 1000)}


def test_strangers_see_nothing(customer):
    customer.payee()
    customer.batch("b-1", payment("p-1"))
    stranger = Customer(customer.sandbox)
    for path in ("payees/ann", "batches/b-1", "payments/p-1"):
        assert stranger.send("GET", f"v1/{path}")[0] == 404
    assert stranger.batch("b-1", payment("p-1"))[1]["payments"][0]["reason"]["code"] == "BE06"
    stranger.key = "sk_test_x"
    assert stranger.send("GET", "v1/payments")[0] == 401
    assert customer.send("DELETE", "v1/payments/p-1")[0] == 404
    assert customer.send("POST", "v1/batches", b"<x/>")[0] == 415


def test_the_page_shows_accounts_and_payments(customer):
    customer.payee(name="<Ann>")
    customer.batch("b-1", payment("p-seen"))
    import urllib.request

    with urllib.request.urlopen(f"{customer.sandbox.url}/bank", timeout=5) as answer:
        text = answer.read().decode()
    assert "PAYABLES-EUR" in text
    assert "p-seen" in text
    assert "&lt;Ann&gt;" in text
