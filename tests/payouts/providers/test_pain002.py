"""Status reports: what a bank says on three levels and in several files, and what it makes of a payment."""

import itertools
import os
import random
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payouts.providers.contract import NewsKind
from payouts.providers.files.pain002 import read_status_report
from payouts.providers.files.statuses import Reading, read_together
from payouts.providers.files.xml import MAX_FILE_BYTES, BadFile
from tests.payouts.providers.orders import instruction

ITEMS = [instruction(reference=name, amount_minor=1000) for name in ("e1", "e2")]
_minute = itertools.count(1)


def tx(reference: str, status: str, *reasons: str, amount: str = "", currency: str = "EUR") -> str:
    amounts = f"<OrgnlTxRef><Amt><InstdAmt Ccy='{currency}'>{amount}</InstdAmt></Amt></OrgnlTxRef>"
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
        f"{why(*reasons)}<AcctSvcrRef>bank-{reference}</AcctSvcrRef>{amounts if amount else ''}</TxInfAndSts>"
    )


def why(*reasons: str) -> str:
    return "".join(f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" for code in reasons)


def report(
    *transactions: str,
    group: str = "",
    part: str = "",
    about: str = "pob1",
    minute: int | None = None,
    version: str = "10",
) -> bytes:
    """A report; by default each one is a minute later than the one before."""
    at = f"2026-12-01T10:{minute if minute is not None else next(_minute) % 60:02d}:00"
    said = part + "".join(transactions)
    parts = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{about}</OrgnlPmtInfId>{said}</OrgnlPmtInfAndSts>"
    return (
        f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}'><CstmrPmtStsRpt>"
        f"<GrpHdr><MsgId>B1</MsgId><CreDtTm>{at}</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{about}</OrgnlMsgId><OrgnlMsgNmId>pain.001</OrgnlMsgNmId>{group}"
        f"</OrgnlGrpInfAndSts>{parts if said else ''}</CstmrPmtStsRpt></Document>"
    ).encode()


def group(status: str, *reasons: str, count: int | None = None, total: str = "") -> str:
    counted = "" if count is None else f"<OrgnlNbOfTxs>{count}</OrgnlNbOfTxs>"
    summed = f"<OrgnlCtrlSum>{total}</OrgnlCtrlSum>" if total else ""
    return f"{counted}{summed}<GrpSts>{status}</GrpSts>{why(*reasons)}"


def reading(*contents: bytes) -> Reading:
    return read_together(ITEMS, [read_status_report(content) for content in contents])


def kinds(*contents: bytes) -> dict[str, list[NewsKind]]:
    found: dict[str, list[NewsKind]] = {item.reference: [] for item in ITEMS}
    for news in reading(*contents).news:
        found[news.reference].append(news.kind)
    return found


NOTHING: list[NewsKind] = []
ACCEPTED, PAID, REFUSED, RETURNED = (
    [NewsKind.ACCEPTED], [NewsKind.PAID], [NewsKind.REFUSED], [NewsKind.PAID, NewsKind.RETURNED],
)  # fmt: skip


@pytest.mark.parametrize(
    ("status", "reasons", "kind"),
    [
        *((code, (), ACCEPTED) for code in ("ACTC", "ACCP", "ACSP", "ACWC", "PDNG", "PART", "RCVD")),
        *((code, (), PAID) for code in ("ACSC", "ACCC")),
        ("RJCT", ("AC04",), REFUSED),
        ("RJCT", (), REFUSED),
        ("CANC", (), REFUSED),
        ("RJCT", ("AM05",), ACCEPTED),
        *((code, (), NOTHING) for code in ("RCVC", "RVNM", "RVMC", "RVNA")),
    ],
)
@pytest.mark.parametrize("level", ["transaction", "part", "group"])
def test_a_status_on_every_level_f_f14(
    status: str, reasons: tuple[str, ...], kind: object, level: str
) -> None:
    """F-F14: AM05 says that the bank has it already. Comparing names is no state."""
    if level == "transaction":
        found = kinds(report(tx("e1", status, *reasons)))
        assert found == {"e1": kind, "e2": NOTHING}
        return
    part = f"<PmtInfSts>{status}</PmtInfSts>{why(*reasons)}"
    content = (
        report(part=part, group=group("PART")) if level == "part" else report(group=group(status, *reasons))
    )
    assert kinds(content) == {"e1": kind, "e2": kind}


@pytest.mark.parametrize(
    ("code", "public", "is_of_destination"),
    [
        ("AC01", "destination_invalid", True), ("AC04", "destination_closed", True),
        ("AC06", "destination_blocked", True), ("AM04", "provider_funds_insufficient", False),
        ("BE04", "destination_incomplete", True), ("DT01", "instruction_invalid", False),
        ("FF01", "instruction_invalid", False), ("RC01", "destination_invalid", True),
        ("RR04", "regulatory", False), ("MS03", "refused_by_bank", False), ("ZZ99", "refused_by_bank", False),
    ],
)  # fmt: skip
def test_reasons(code: str, public: str, is_of_destination: bool) -> None:
    news = reading(report(tx("e1", "RJCT", code))).news[0]
    assert news.failure is not None
    assert (news.failure.code, news.failure.provider_code) == (public, code)
    assert news.failure.is_of_destination is is_of_destination


def test_several_reports_from_technical_to_final() -> None:
    said = reading(
        report(group=group("ACTC", count=2, total="20.00"), minute=1),
        report(tx("e1", "ACSP"), tx("e2", "PDNG"), minute=2),
        report(tx("e1", "ACSC", amount="10.00"), group=group("PART"), minute=3),
        report(tx("e2", "RJCT", "AC04"), group=group("RJCT", "AC04"), minute=4),
    )
    first, second = said.news
    assert (first.kind, first.amount_minor, first.currency) == (NewsKind.PAID, 1000, "EUR")
    assert (first.provider_reference, first.occurred_at) == (
        "bank-e1", datetime(2026, 12, 1, 10, 3, tzinfo=UTC),
    )  # fmt: skip
    assert second.kind is NewsKind.REFUSED
    # GrpSts of a report that lists the refused ones alone is not of the others, nor of the order.
    assert said.refusal is None and said.problems == ()


def test_a_refusal_after_settlement_is_a_return_f_f3() -> None:
    """F-F3: paid first, and both are told; an order that is refused takes nothing back that was settled."""
    assert kinds(report(tx("e1", "ACSC")), report(tx("e1", "RJCT", "AC04")))["e1"] == RETURNED
    assert kinds(report(tx("e1", "ACSC")), report(group=group("RJCT", "FF01"))) == {"e1": PAID, "e2": REFUSED}


def test_a_refused_order() -> None:
    said = reading(report(group=group("RJCT", "FF01")))
    assert said.refusal is not None and said.refusal.provider_code == "FF01"
    assert reading(report(group=group("RJCT", "AM05"))).refusal is None
    assert reading(report(tx("e1", "RJCT", "AC01"), tx("e2", "RJCT", "AC01"))).refusal is None


@given(order=st.permutations(range(5)), repeated=st.integers(0, 4))
def test_reports_may_come_in_any_order_and_twice_f_c5(order: list[int], repeated: int) -> None:
    said = [
        report(group=group("ACTC"), minute=1),
        report(tx("e1", "ACSP"), minute=2),
        report(tx("e1", "ACSC"), tx("e2", "ACSC"), minute=3),
        report(tx("e2", "RJCT", "AC04"), minute=4),
        report(group=group("ACSP"), minute=5),
    ]
    shuffled = [said[index] for index in order] + [said[repeated]]
    assert kinds(*shuffled) == {"e1": PAID, "e2": RETURNED}


def test_a_report_that_does_not_fit_the_order_changes_nothing() -> None:
    said = reading(
        report(group=group("ACSC", count=3)),
        report(group=group("ACSC", total="20.01")),
        report(tx("strange", "ACSC")),
        report(tx("e1", "XXXX")),
    )
    assert said.news == ()
    assert len(said.problems) == 4
    assert "was refused, and is settled" in " ".join(
        reading(report(tx("e1", "RJCT")), report(tx("e1", "ACSC"))).problems
    )


def test_an_amount_that_differs_is_told_for_the_caller_to_see() -> None:
    news = reading(report(tx("e1", "ACSC", amount="10.01", currency="USD"))).news[0]
    assert (news.amount_minor, news.currency) == (1001, "USD")


GOOD = report(tx("e1", "ACSC", amount="10.00"))
ENTITY = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
EXTERNAL = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        GOOD[:-20],
        ENTITY + GOOD.replace(b"10.00", b"&b;"),
        EXTERNAL + GOOD.replace(b"10.00", b"&a;"),
        b"<!DOCTYPE Document SYSTEM 'http://127.0.0.1:1/x.dtd'>" + GOOD,
        GOOD.replace(b"CstmrPmtStsRpt", b"BkToCstmrStmt"),
        GOOD.replace(b"<OrgnlMsgId>pob1</OrgnlMsgId>", b""),
        GOOD.replace(b"10.00", b"10.005"),
        GOOD.replace(b"10.00", b"-10.00"),
        GOOD.replace(b"ACSC", b"settled"),
        GOOD.replace(b"<TxSts>", b"<x>" * 100_000 + b"</x>" * 100_000 + b"<TxSts>"),
        b"<?xml version='1.0' encoding='no-such'?>" + GOOD,
        b" " * (MAX_FILE_BYTES + 1),
    ],
)  # fmt: skip
def test_hostile_and_broken_files_are_refused_a_f1_a_f2(content: bytes) -> None:
    """A-F1, A-F2: entities and DTDs are refused; nothing is fetched, nothing is expanded."""
    with pytest.raises(BadFile):
        read_status_report(content)


@pytest.mark.parametrize("version", ["03", "09", "10", "14"])
def test_versions_are_told_by_local_names(version: str) -> None:
    content = report(tx("e1", "ACSC"), version=version)
    assert read_status_report(content).transactions[0].status == "ACSC"
    plain = content.replace(f" xmlns='urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}'".encode(), b"")
    assert read_status_report(plain) == read_status_report(content)


@given(st.binary(max_size=400), st.randoms())
def test_any_bytes_are_a_report_or_a_bad_file(noise: bytes, chance: random.Random) -> None:
    at = chance.randrange(len(GOOD))
    for content in (noise, GOOD[:at] + noise + GOOD[at:]):
        with suppress(BadFile):
            read_status_report(content)


@pytest.mark.parametrize("name", ["01", "02"])
def test_samples_of_german_banks(name: str) -> None:
    """With and without a namespace: a comparison of names, which is no state."""
    folder = os.environ.get("QUITTANCE_SAMPLES", "")
    path = Path(folder) / "pain002" / f"hbci4java__test-pain-parse-0020110-{name}.xml"
    if not folder or not path.is_file():
        pytest.skip("needs QUITTANCE_SAMPLES: a folder of sample files from elsewhere")
    said = read_status_report(path.read_bytes())
    assert said.original_message_id == "2025-10-20T23:33:49:0045"
    assert [(item.end_to_end_id, item.status) for item in said.transactions] == [("NOTPROVIDED", "RVNM")]
    assert read_together(ITEMS, [said]).problems == ()


def test_every_code_of_a_failure_is_documented() -> None:
    from payouts.api.shapes import FAILURES
    from payouts.providers.files.reasons import _REASONS, _UNKNOWN

    assert {code for code, _, _ in (*_REASONS.values(), _UNKNOWN)} <= set(FAILURES)
