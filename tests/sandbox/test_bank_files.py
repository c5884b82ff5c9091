"""The bank's file drop: orders in pain.001, reports in pain.002, statements in camt.053."""

from __future__ import annotations

import signal
from decimal import Decimal

import pytest

from tests.sandbox.bank_client import CLOSED, DEBTOR, DEFERRED, IBAN, RETURNED, Customer, order

DAY = 86_400
LINE = ("e-1", IBAN, "10.00")


@pytest.fixture
def customer(sandbox):
    """A customer whose files are decided when the test says so."""
    sandbox.control("POST", "bank", {"seconds": None})
    yield Customer(sandbox)
    sandbox.control("DELETE", "faults")
    sandbox.control("POST", "bank", {"seconds": 0})


def read(customer, name="a.xml"):
    """Let the bank read what it has received; the file afterwards."""
    customer.sandbox.control("POST", "clock", {"seconds": 0})
    return customer.send("GET", f"files/{name}")[1]


@pytest.mark.parametrize("version", ["03", "09"])
def test_a_file_is_read_reported_and_paid_once(customer, version):
    """F-F4: name and content decide which file it is; the journal says that each line was paid once."""
    content = order("m-1", LINE, ("e-2", IBAN, "0.5"), version=version)
    status, kept = customer.file("a.xml", content)
    assert (status, kept["bytes"], kept["state"]) == (201, len(content), "received")
    assert read(customer)["state"] == "accepted"
    assert customer.file("a.xml", content)[0] == 200
    assert customer.file("a.xml", content + b" ")[1]["error"]["code"] == "name_reused"
    (technical,) = customer.reports()
    group = technical.find("CstmrPmtStsRpt/OrgnlGrpInfAndSts")
    assert [group.findtext(name) for name in ("OrgnlMsgId", "OrgnlMsgNmId", "OrgnlNbOfTxs", "GrpSts")] == [
        "m-1", f"pain.001.001.{version}", "2", "ACTC",
    ]  # fmt: skip
    customer.control("POST", "settle", {"owner": customer.key})
    assert customer.outcomes() == {"e-1": ["ACSC"], "e-2": ["ACSC"]}
    assert len(customer.reports(after=0)) == 2
    last = customer.send("GET", "reports")[1]["data"][0]["seq"]
    assert len(customer.reports(after=last)) == 1
    assert customer.totals() == {"e-1": (1, 0, 1000), "e-2": (1, 0, 50)}
    assert read(customer)["state"] == "settled"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"nonsense", "FF01"),
        (b"<Document/>", "FF01"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + order("m-1", LINE), "FF01"),
        (order("m-1", LINE).replace(b"001.09", b"001.11"), "FF01"),
        (order("m-1", LINE).replace(b"<MsgId>m-1</MsgId>", b""), "FF01"),
        (order("m-1", LINE).replace(b">TRF<", b">CHK<"), "FF01"),
        (order("m-1", ("e-1", IBAN, "1E1"), total="10"), "FF01"),
        (order("m-1", LINE, count=2), "AM18"),
        (order("m-1", LINE, total="10.01"), "AM10"),
        (order("m-1", LINE, LINE), "DU04"),
        (order("m-1", LINE, debtor="DE02120300000000202052"), "AC02"),
        (order("m-1", ("e-1", IBAN, "10.001")), "AM12"),
        (order("m-1", LINE, currency="XXQ"), "FF01"),
    ],
)
def test_a_file_that_is_wrong_is_refused_whole(customer, content, code):
    customer.file("a.xml", content)
    seen = read(customer)
    assert (seen["state"], seen["reason"]) == ("refused", code)
    (report,) = customer.reports()
    group = report.find("CstmrPmtStsRpt/OrgnlGrpInfAndSts")
    assert (group.findtext("GrpSts"), group.findtext("StsRsnInf/Rsn/Cd")) == ("RJCT", code)
    customer.control("POST", "settle", {"owner": customer.key})
    assert customer.totals() == {}


def test_a_message_id_is_used_for_one_file(customer):
    """F-F5: the same order under another name pays nobody again."""
    customer.file("a.xml", order("m-1", LINE))
    customer.file("b.xml", order("m-1", LINE))
    assert (read(customer)["state"], read(customer, "b.xml")["reason"]) == ("accepted", "AM05")
    customer.control("POST", "settle", {"owner": customer.key})
    assert customer.totals() == {"e-1": (1, 0, 1000)}
    customer.file("c.xml", order("m-2", LINE, count=2))
    assert read(customer, "c.xml")["msg_id"] == "m-2"
    customer.file("d.xml", order("m-2", ("e-9", IBAN, "1.00")))
    assert read(customer, "d.xml")["state"] == "accepted", "a refused file uses up no message id"


def test_transactions_are_decided_one_by_one(own_sandbox):
    """F-F3: deferred, rejected, paid and returned on the third day, each told in a report."""
    box = own_sandbox()
    customer = Customer(box)
    customer.file("a.xml", order(
        "m-1", LINE, ("wrong", "DE88370400440532013000", "1.00"), ("closed", CLOSED, "2.00"),
        ("late", DEFERRED, "3.00"), ("back", RETURNED, "4.00"), ("nothing", IBAN, "0.00"),
    ))  # fmt: skip
    for seconds in (0, 0, DAY, 2 * DAY):
        box.control("POST", "clock", {"seconds": seconds})
    assert customer.outcomes() == {
        "e-1": ["ACSC"], "wrong": ["RJCT AC01"], "closed": ["RJCT AC04"], "late": ["PDNG", "ACSC"],
        "back": ["ACSC", "RJCT AC04"], "nothing": ["RJCT AM01"],
    }  # fmt: skip
    assert "RETURNED" in customer.reports()[-1].findtext(".//AddtlInf")
    assert customer.totals() == {"e-1": (1, 0, 1000), "late": (1, 0, 300), "back": (1, 1, 0)}


def test_an_account_that_is_short_pays_what_it_can(customer):
    customer.control("POST", f"accounts/{DEBTOR}", {"owner": customer.key, "balance": "15.00", "fee": "1.00"})
    customer.file("a.xml", order("m-1", LINE, ("e-2", IBAN, "4.01"), ("e-3", IBAN, "3.00")))
    read(customer)
    customer.control("POST", "settle", {"owner": customer.key})
    assert customer.outcomes() == {"e-1": ["ACSC"], "e-2": ["RJCT AM04"], "e-3": ["ACSC"]}


def money(entry):
    """The amount of a balance or entry with its sign."""
    sign = 1 if entry.findtext("CdtDbtInd") == "CRDT" else -1
    return sign * Decimal(entry.findtext("Amt"))


def balances(statement):
    return {row.findtext("Tp/CdOrPrtry/Cd"): money(row) for row in statement.iter("Bal")}


def test_statements_chain_from_day_to_day(own_sandbox):
    """F-F11: closing is opening plus entries, on every day; what nobody ordered is there too."""
    box = own_sandbox()
    customer = Customer(box)
    customer.control(
        "POST", f"accounts/{DEBTOR}", {"owner": customer.key, "balance": "500.00", "fee": "0.10"}
    )
    customer.file("one.xml", order("m-1", LINE, ("back", RETURNED, "4.00")))
    customer.file("all.xml", order("m-2", ("e-3", IBAN, "5.00"), ("e-4", IBAN, "6.00"), together=True))
    for seconds in (0, 0, 3 * DAY):
        box.control("POST", "clock", {"seconds": seconds})
    customer.control(
        "POST", f"accounts/{DEBTOR}/entries", {"owner": customer.key, "amount": "-7.00", "text": "Unknown"}
    )
    import datetime

    now = datetime.datetime.fromtimestamp(box.control("GET", "clock")["now"], datetime.UTC).date()
    closing, entries = None, {}
    for back in range(4, -1, -1):
        day = str(now - datetime.timedelta(days=back))
        statement = customer.statement(date=day)
        found = balances(statement)
        assert closing in (None, found["OPBD"])
        closing = found["CLBD"]
        assert closing == found["OPBD"] + sum(money(row) for row in statement.iter("Ntry"))
        for row in statement.iter("Ntry"):
            name = row.findtext("NtryDtls/TxDtls/Refs/EndToEndId") or row.findtext("NtryDtls/Btch/MsgId")
            entries.setdefault(name, []).append(money(row))
    assert closing == Decimal("500.00") - 10 - 4 - 5 - 6 - Decimal("0.40") + 4 - 7
    assert (entries["m-2"], entries["e-1"]) == ([-11], [-10, Decimal("-0.10")])
    assert entries["back"] == [-4, Decimal("-0.10"), 4]
    assert customer.statement().findtext(".//RtrInf/Rsn/Cd") == "AC04"
    assert box.get("journal?kind=payout.foreign")[0]["amount"] == -700
    assert customer.send("GET", f"statements/{DEBTOR}?date=soon")[0] == 400
    assert customer.send("GET", f"statements/{IBAN}")[0] == 404


@pytest.mark.parametrize(("kind", "known"), [("charged_but_timeout", True), ("not_charged_timeout", False)])
def test_silence_after_an_upload_is_told_by_asking(customer, kind, known):
    """F-F5."""
    customer.sandbox.arm(kind, operation="bank.files.put", account=customer.key)
    content = order("m-1", LINE)
    request = {"timeout": 0.4}
    with pytest.raises(OSError):
        customer.send("PUT", "files/a.xml", content, **request)
    assert (customer.send("GET", "files/a.xml")[0] == 200) is known
    assert customer.file("a.xml", content)[0] == (200 if known else 201)
    (logged, *_) = customer.sandbox.get("requests?operation=bank.files.put&path=/bank/files/a.xml")[-2:]
    assert logged["params"] == {"bytes": len(content)}


def test_a_file_killed_before_it_was_read_is_paid_once(own_sandbox, until):
    """F-F5: acknowledged is kept."""
    box = own_sandbox()
    customer = Customer(box)
    content = order("m-1", *((f"e-{number}", IBAN, "1.00") for number in range(500)))
    assert customer.file("a.xml", content)[0] == 201
    box.end(signal.SIGKILL)
    box.start(port=box.info["port"])
    assert customer.file("a.xml", content)[0] == 200
    until(lambda: len(customer.totals()) == 500)
    assert set(customer.totals().values()) == {(1, 0, 100)}


def test_entries_of_an_account_refuse_to_be_changed(own_sandbox):
    import sqlite3

    box = own_sandbox()
    customer = Customer(box)
    customer.control("POST", f"accounts/{DEBTOR}", {"owner": customer.key, "balance": "1.00"})
    box.end()
    connection = sqlite3.connect(box.data / "sandbox.sqlite3")
    for statement in ("UPDATE bank_entry SET amount = 1", "DELETE FROM bank_entry"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


def test_strangers_and_empty_files(customer):
    customer.file("a.xml", order("m-1", LINE))
    stranger = Customer(customer.sandbox)
    assert stranger.send("GET", "files/a.xml")[0] == 404
    assert stranger.reports() == []
    assert stranger.file("a.xml", b"x")[0] == 201
    assert customer.file("b.xml", b"")[0] == 400
    assert customer.send("PUT", "files/..%2Fb.xml", b"x")[0] == 404
    assert customer.send("GET", "files/none.xml")[0] == 404
