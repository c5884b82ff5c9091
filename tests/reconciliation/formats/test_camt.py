"""camt.052, camt.053, camt.054: what counts, which way, and what is refused."""

from datetime import date

import pytest

from reconciliation.formats.camt import CAMT_052, CAMT_053, CAMT_054
from reconciliation.formats.contract import Control
from tests.reconciliation.formats.bank_reading import read, refusal, refused_or_whole

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
ACCOUNT = "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>"
PERIOD = "<FrToDt><FrDtTm>2026-11-30T00:00:00Z</FrDtTm><ToDtTm>2026-11-30T23:59:59Z</ToDtTm></FrToDt>"
NAMES = {"053": ("BkToCstmrStmt", "Stmt"), "052": ("BkToCstmrAcctRpt", "Rpt"),
         "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn")}  # fmt: skip


def balance(
    code: str, amount: str, *, way: str = "CRDT", day: str = "2026-11-30", currency: str = "EUR"
) -> str:
    """A `Bal`."""
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='{currency}'>{amount}</Amt>"
        f"<CdtDbtInd>{way}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def entry(
    amount: str,
    *,
    way: str = "CRDT",
    status: str = "<Cd>BOOK</Cd>",
    dates: str = "<BookgDt><Dt>2026-11-30</Dt></BookgDt>",
    more: str = "",
    details: str = "",
    note: str = "",
    currency: str = "EUR",
) -> str:
    """An `Ntry`; `more` is what stands between its dates and its details."""
    inner = f"<NtryDtls>{details}</NtryDtls>" if details else ""
    last = f"<AddtlNtryInf>{note}</AddtlNtryInf>" if note else ""
    return (
        f"<Ntry><Amt Ccy='{currency}'>{amount}</Amt><CdtDbtInd>{way}</CdtDbtInd><Sts>{status}</Sts>"
        f"{dates}{more}{inner}{last}</Ntry>"
    )


def statement(*parts: str, number: str = "7", flag: str = "", account: str = ACCOUNT) -> str:
    """What is in a `Stmt`."""
    sequence = f"<ElctrncSeqNb>{number}</ElctrncSeqNb>" if number else ""
    copy = f"<CpyDplctInd>{flag}</CpyDplctInd>" if flag else ""
    return f"<Id>S1</Id>{sequence}{PERIOD}{copy}{account}{''.join(parts)}"


def wrapped(*statements: str, kind: str = "053", namespace: str | None = None) -> bytes:
    """A message of whole statements."""
    name, record = NAMES[kind]
    space = NAMESPACE.replace("053", kind) if namespace is None else namespace
    inner = "".join(f"<{record}>{each}</{record}>" for each in statements)
    xmlns = f" xmlns='{space}'" if space else ""
    return f"<Document{xmlns}><{name}><GrpHdr><MsgId>M</MsgId></GrpHdr>{inner}</{name}></Document>".encode()


def message(*parts: str) -> bytes:
    """A camt.053 with one statement."""
    return wrapped(statement(*parts))


FROM_0_TO_10 = balance("OPBD", "0") + balance("CLBD", "10.00")


def test_a_statement_is_read() -> None:
    detail = """<TxDtls><Refs><EndToEndId>PO-1</EndToEndId></Refs>
        <RltdPties><Dbtr><Pty><Nm>Jane Doe</Nm></Pty></Dbtr>
        <DbtrAcct><Id><IBAN>FR7630006000011234567890189</IBAN></Id></DbtrAcct></RltdPties>
        <RmtInf><Ustrd>Invoice 12</Ustrd></RmtInf></TxDtls>"""
    code = """<AcctSvcrRef>BANK-1</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd>
        <SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"""
    (found,) = read(CAMT_053, message(FROM_0_TO_10, entry("10.00", more=code, details=detail, note="Credit")))
    assert found.adds_up
    assert found.document.identity == "DE89370400440532013000:EUR:2026:7"
    assert (found.document.sequence, found.document.kind) == (7, "statement")
    assert (found.document.period_from, found.document.period_to) == (date(2026, 11, 30), date(2026, 11, 30))
    (line,) = found.entries
    assert line._asdict() == {
        "line_no": 1,
        "amount_minor": 1000,
        "currency": "EUR",
        "booked_on": date(2026, 11, 30),
        "value_on": None,
        "parent": None,
        "bank_reference": "BANK-1",
        "end_to_end": "PO-1",
        "batch_reference": "",
        "code": "PMNT/RCDT/ESCT",
        "is_reversal": False,
        "return_reason": "",
        "counterparty": "Jane Doe",
        "counterparty_account": "FR7630006000011234567890189",
        "text": "Invoice 12 Credit",
    }


@pytest.mark.parametrize("version", [f"{number:02}" for number in range(2, 14)])
def test_every_version_has_its_namespace(version: str) -> None:
    body = wrapped(statement(FROM_0_TO_10, entry("10")), namespace=NAMESPACE.replace("08", version))
    assert read(CAMT_053, body)[0].adds_up


def test_version_one_is_named_otherwise() -> None:
    detail = "<TxDtls><Refs><EndToEndId>PO-1</EndToEndId></Refs></TxDtls>"
    old = balance("OPBD", "0") + balance("CLBD", "10")
    old = old.replace("<CdOrPrtry>", "").replace("</CdOrPrtry>", "")
    body = wrapped(
        statement(old, entry("10", status="BOOK", more=detail)), namespace=NAMESPACE.replace("08", "01")
    )
    body = body.replace(b"BkToCstmrStmt", b"BkToCstmrStmtV01")
    (found,) = read(CAMT_053, body)
    assert found.adds_up
    assert found.entries[0].end_to_end == "PO-1"


@pytest.mark.parametrize(
    "namespace",
    [
        "urn:iso:std:iso:20022:tech:xsd:camt.053.001.14",
        "urn:iso:std:iso:20022:tech:xsd:camt.053.001.00",
        "urn:iso:std:iso:20022:tech:xsd:camt.053.002.08",
        "urn:iso:std:iso:20022:tech:xsd:camt.052.001.08",
        "http://www.example.com/camt.053.001.08",
    ],
)
def test_another_namespace_is_refused(namespace: str) -> None:
    body = wrapped(statement(FROM_0_TO_10, entry("10")), namespace=namespace)
    assert refusal(CAMT_053, body) == ("format_mismatch", 1)


def test_a_namespace_may_be_missing_and_a_prefix_or_an_envelope_may_be_there() -> None:
    assert read(CAMT_053, wrapped(statement(FROM_0_TO_10, entry("10")), namespace=""))
    plain = wrapped(statement(FROM_0_TO_10, entry("10")))
    enveloped = b"<Envelope xmlns='urn:x'><AppHdr><Fr>BANK</Fr></AppHdr>" + plain + b"</Envelope>"
    assert read(CAMT_053, enveloped) == read(CAMT_053, plain)
    prefixed = plain.replace(b"<", b"<n:").replace(b"<n:/", b"</n:").replace(b"xmlns=", b"xmlns:n=")
    assert read(CAMT_053, prefixed) == read(CAMT_053, plain)


def test_a_source_takes_one_message() -> None:
    body = wrapped(statement(entry("10")), kind="052")
    assert refusal(CAMT_053, body)[0] == "format_mismatch"
    assert (
        refusal(CAMT_054, wrapped(statement(entry("10")), kind="052", namespace=""))[0] == "format_mismatch"
    )
    (report,) = read(CAMT_052, body)
    assert (report.document.kind, report.document.identity) == ("report", "DE89370400440532013000:EUR:S1")
    assert (report.document.opening_minor, report.totals.closing_minor) == (None, None)
    (news,) = read(CAMT_054, wrapped(statement(entry("10")), kind="054"))
    assert news.document.kind == "notification"


def test_a_report_is_known_by_its_id() -> None:
    for other in (b"", b"<Id>" + b"x" * 36 + b"</Id>"):
        body = wrapped(statement(entry("10")), kind="052").replace(b"<Id>S1</Id>", other)
        assert refusal(CAMT_052, body) == ("identity_missing", 1)


def test_a_message_without_a_statement_is_refused_and_a_statement_without_entries_is_none() -> None:
    assert refusal(CAMT_053, wrapped()) == ("format_mismatch", None)
    (found,) = read(CAMT_053, message(balance("OPBD", "5"), balance("CLBD", "5")))
    assert found.adds_up
    assert not found.entries


def test_several_statements_are_each_their_own() -> None:
    other = ACCOUNT.replace("3000", "3001")
    first, second = read(
        CAMT_053,
        wrapped(statement(FROM_0_TO_10, entry("10")), statement(FROM_0_TO_10, entry("4"), account=other)),
    )
    assert (first.adds_up, second.adds_up) == (True, False)
    assert first.document.account != second.document.account
    assert [line.line_no for line in (*first.entries, *second.entries)] == [1, 2]


def test_only_what_is_booked_counts() -> None:
    """Plain code up to version 07, `Cd` from 08 on."""
    body = message(
        FROM_0_TO_10,
        entry("10", status="BOOK"),
        entry("3", status="PDNG", dates="", details="<TxDtls/>"),
        entry("4", status="<Cd>INFO</Cd>"),
        entry("5", status="<Cd>FUTR</Cd>", details="<TxDtls/><TxDtls/>"),
    )
    (found,) = read(CAMT_053, body)
    assert found.adds_up
    assert (len(found.entries), found.totals.ignored) == (1, 3)
    assert refusal(CAMT_053, message(FROM_0_TO_10, entry("10", status="DONE")))[0] == "status_unknown"


def test_a_reversal_is_not_turned_again() -> None:
    """F-H18: a credit of 10 is taken back by a debit of 10, which says so; together they are nothing."""
    taken_back = entry("10", way="DBIT").replace("<Sts>", "<RvslInd>true</RvslInd><Sts>")
    body = message(balance("OPBD", "3"), balance("CLBD", "3"), entry("10"), taken_back)
    (found,) = read(CAMT_053, body)
    assert found.adds_up
    assert [(line.amount_minor, line.is_reversal) for line in found.entries] == [(1000, False), (-1000, True)]


def test_a_returned_payout_tells_why_and_which() -> None:
    detail = """<TxDtls><Refs><EndToEndId>PO-9</EndToEndId></Refs>
        <RltdPties><Dbtr><Nm>Us</Nm></Dbtr><DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct>
        <Cdtr><Nm>Seller</Nm></Cdtr></RltdPties><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls>"""
    (found,) = read(CAMT_053, message(FROM_0_TO_10, entry("10", details=detail)))
    (line,) = found.entries
    assert (line.end_to_end, line.return_reason, line.counterparty) == ("PO-9", "AC04", "Seller")


@pytest.mark.parametrize("word", ["NOTPROVIDED", "NONREF"])
def test_a_word_for_no_reference_is_none(word: str) -> None:
    detail = f"<TxDtls><Refs><EndToEndId>{word}</EndToEndId></Refs></TxDtls>"
    (found,) = read(CAMT_053, message(FROM_0_TO_10, entry("10", details=detail)))
    assert not found.entries[0].end_to_end


@pytest.mark.parametrize("count", [2, 3, 199, 200, 201, 450])
def test_a_collective_booking_counts_once(count: int) -> None:
    batch = f"<Btch><PmtInfId>P-1</PmtInfId><NbOfTxs>{count}</NbOfTxs></Btch>"
    details = "".join(
        f"<TxDtls><Refs><EndToEndId>E{number}</EndToEndId></Refs>"
        f"<Amt Ccy='EUR'>0.0{number % 9}</Amt></TxDtls>"
        for number in range(count)
    )
    body = message(
        balance("OPBD", "20"),
        balance("CLBD", "10"),
        entry("10", way="DBIT", details=batch + details, note="SEPA batch"),
    )
    (found,) = read(CAMT_053, body)
    assert found.adds_up
    booking, *inside = found.entries
    assert (booking.amount_minor, booking.parent, booking.batch_reference) == (-1000, None, "P-1")
    assert [line.end_to_end for line in inside] == [f"E{number}" for number in range(count)]
    assert [line.amount_minor for line in inside] == [-(number % 9) for number in range(count)]
    assert {(line.parent, line.batch_reference) for line in inside} == {(booking.line_no, "P-1")}
    # Behind more details than are held back, the note is not waited for.
    assert booking.text == ("SEPA batch" if count <= 200 else "")


def test_what_a_detail_is_worth() -> None:
    """In the account's currency, with its own direction if it has one; else 0, and a note (F-H5)."""
    details = (
        "<TxDtls><Amt Ccy='USD'>9</Amt><AmtDtls><TxAmt><Amt Ccy='EUR'>8</Amt></TxAmt></AmtDtls></TxDtls>"
        "<TxDtls><Amt Ccy='EUR'>1</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>"
        "<TxDtls><AmtDtls><InstdAmt><Amt Ccy='USD'>3</Amt></InstdAmt></AmtDtls></TxDtls>"
        "<TxDtls/>"
    )
    (found,) = read(CAMT_053, message(FROM_0_TO_10, entry("10", details=details)))
    assert [(line.amount_minor, line.currency, line.text) for line in found.details] == [
        (800, "EUR", ""),
        (-100, "EUR", ""),
        (0, "EUR", "USD 3"),
        (0, "EUR", ""),
    ]


def test_the_previous_closing_balance_opens_where_no_opening_balance_is() -> None:
    body = message(
        balance("PRCD", "4", way="DBIT", day="2026-11-27"), balance("CLBD", "6"), entry("10")
    ).replace(PERIOD.encode(), b"")
    (found,) = read(CAMT_053, body)
    assert found.adds_up
    assert found.document.opening_minor == -400
    assert (found.document.period_from, found.document.period_to) == (date(2026, 11, 28), date(2026, 11, 30))
    both = message(balance("PRCD", "99"), FROM_0_TO_10, entry("10"))
    assert read(CAMT_053, both)[0].document.opening_minor == 0


@pytest.mark.parametrize(
    ("balances", "code"),
    [
        (balance("OPBD", "0"), "closing_missing"),
        (balance("CLBD", "0"), "opening_missing"),
        (balance("OPBD", "0") + balance("CLAV", "10"), "closing_missing"),
        (FROM_0_TO_10 + balance("CLBD", "11"), "two_closing_balances"),
        (FROM_0_TO_10 + balance("CLBD", "10"), "two_closing_balances"),
        (FROM_0_TO_10 + balance("OPBD", "1"), "two_opening_balances"),
        (FROM_0_TO_10 + balance("CLBD", "10", currency="USD"), "currency_mixed"),
        (balance("OPBD", "0", currency="USD") + balance("CLBD", "10"), "currency_mixed"),
        (FROM_0_TO_10.replace("10.00", "10,00"), "amount_invalid"),
        (FROM_0_TO_10.replace("10.00", "-10.00"), "amount_invalid"),
        (FROM_0_TO_10.replace("10.00", "10.001"), "amount_invalid"),
        (FROM_0_TO_10.replace("10.00", "1e1"), "amount_invalid"),
        (FROM_0_TO_10.replace("10.00", "9" * 15).replace("EUR", "CLF"), "amount_invalid"),
        (FROM_0_TO_10.replace("EUR", "XYZ"), "currency_unknown"),
        (FROM_0_TO_10.replace("CRDT", "CREDIT"), "direction_unknown"),
        (FROM_0_TO_10.replace("2026-11-30", "2026-11-31"), "date_invalid"),
    ],
)
def test_balances_that_contradict_themselves_are_refused(balances: str, code: str) -> None:
    """F-H17, F-H5, F-H20."""
    assert refusal(CAMT_053, message(balances, entry("10"))) == (code, 1)


def test_an_entry_in_another_currency_is_refused() -> None:
    """F-H5: sums never cross currencies."""
    assert refusal(CAMT_053, message(FROM_0_TO_10, entry("10", currency="USD")))[0] == "currency_mixed"
    mixed = wrapped(statement(entry("1"), entry("1", currency="USD")), kind="054")
    assert refusal(CAMT_054, mixed)[0] == "currency_mixed"
    account = ACCOUNT.replace("</Acct>", "<Ccy>CHF</Ccy></Acct>")
    body = wrapped(statement(FROM_0_TO_10, entry("10"), account=account))
    assert refusal(CAMT_053, body)[0] == "currency_mixed"


@pytest.mark.parametrize(("flag", "is_copy"), [("", False), ("COPY", False), ("DUPL", True), ("CODU", True)])
def test_the_copy_flag(flag: str, is_copy: bool) -> None:
    """F-H17: a duplicate says that it is one; a copy for somebody else is the first that we see."""
    (found,) = read(CAMT_053, wrapped(statement(FROM_0_TO_10, entry("10"), flag=flag)))
    assert found.document.is_copy is is_copy
    assert refusal(CAMT_053, wrapped(statement(FROM_0_TO_10, flag="MAYBE")))[0] == "copy_flag_unknown"


def test_without_a_number_period_and_balance_identify_a_statement() -> None:
    for number in ("", "0", "00000"):
        (found,) = read(CAMT_053, wrapped(statement(FROM_0_TO_10, entry("10"), number=number)))
        assert found.document.identity == "DE89370400440532013000:EUR:2026-11-30:2026-11-30:1000"
        assert found.document.sequence is None
    assert refusal(CAMT_053, wrapped(statement(FROM_0_TO_10, number="A7")))[0] == "number_invalid"


def test_a_head_behind_its_entries_is_refused() -> None:
    """What counts would be known too late, or be two things."""
    body = message(FROM_0_TO_10, entry("10"), balance("CLBD", "99"))
    assert refusal(CAMT_053, body) == ("order_invalid", 1)
    between = message(FROM_0_TO_10, entry("4"), balance("CLBD", "99"), entry("6"))
    assert refusal(CAMT_053, between) == ("order_invalid", 1)


def test_an_account_without_iban_and_none_at_all() -> None:
    other = "<Acct><Id><Othr><Id>12 34</Id></Othr></Id></Acct>"
    assert read(CAMT_053, wrapped(statement(FROM_0_TO_10, account=other)))[0].document.account == "1234"
    assert refusal(CAMT_053, wrapped(statement(FROM_0_TO_10, account="")))[0] == "account_missing"


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        ("<BookgDt><Dt>2026-11-30</Dt></BookgDt>", date(2026, 11, 30)),
        ("<BookgDt><Dt>2026-11-30Z</Dt></BookgDt>", date(2026, 11, 30)),
        ("<BookgDt><DtTm>2026-11-30T23:59:59</DtTm></BookgDt>", date(2026, 11, 30)),
        ("<BookgDt><DtTm>2026-11-30T23:30:00Z</DtTm></BookgDt>", date(2026, 12, 1)),
        ("<BookgDt><DtTm>2026-12-01T05:59:59.999+08:00</DtTm></BookgDt>", date(2026, 11, 30)),
        ("<BookgDt><DtTm>2026-11-30T00:00:00.000-08:00</DtTm></BookgDt>", date(2026, 11, 30)),
        ("<ValDt><Dt>2026-11-29</Dt></ValDt>", date(2026, 11, 29)),
    ],
)
def test_days_are_those_of_the_bank(dates: str, day: date) -> None:
    """F-H15: the source's zone (Berlin) for times with an offset; without one they are the bank's already."""
    (found,) = read(CAMT_053, message(FROM_0_TO_10, entry("10", dates=dates)))
    assert found.entries[0].booked_on == day


@pytest.mark.parametrize(
    ("dates", "code"),
    [
        ("", "date_missing"),
        ("<BookgDt><Dt>30.11.2026</Dt></BookgDt>", "date_invalid"),
        ("<BookgDt><DtTm>2026-11-30T25:00:00Z</DtTm></BookgDt>", "date_invalid"),
        ("<BookgDt><DtTm>0001-01-01T01:00:00+14:00</DtTm></BookgDt>", "date_invalid"),
    ],
)
def test_days_that_are_none_are_refused(dates: str, code: str) -> None:
    assert refusal(CAMT_053, message(FROM_0_TO_10, entry("10", dates=dates)))[0] == code


SUMMARY = """<TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries></TtlNtries>
<TtlCdtNtries><NbOfNtries>2</NbOfNtries><Sum>14.00</Sum></TtlCdtNtries>
<TtlDbtNtries><NbOfNtries>1</NbOfNtries><Sum>4.00</Sum></TtlDbtNtries></TxsSummry>"""
DECLARED = {"lines": 3, "credit_count": 2, "debit_count": 1, "credits": 1400, "debits": 400}


def _controls(body: bytes) -> dict[str, int]:
    (found,) = read(CAMT_053, body)
    assert all(isinstance(control, Control) for control in found.totals.controls)
    assert {control.currency for control in found.totals.controls if control.what != "lines"} <= {"EUR"}
    return {control.what: control.value for control in found.totals.controls}


def test_what_the_summary_declares_is_handed_on() -> None:
    """F-H4: the importer counts, and refuses what differs."""
    booked = entry("10") + entry("4") + entry("4", way="DBIT")
    assert _controls(message(FROM_0_TO_10, SUMMARY, booked)) == DECLARED
    assert _controls(message(FROM_0_TO_10, SUMMARY, entry("10"))) == DECLARED


def test_a_summary_may_be_of_all_entries_or_of_the_booked_ones() -> None:
    booked = entry("10") + entry("4") + entry("4", way="DBIT")
    pending = entry("1", status="PDNG")
    assert _controls(message(FROM_0_TO_10, SUMMARY, booked, pending)) == DECLARED
    two = entry("10") + entry("4", way="DBIT") + entry("4", status="PDNG")
    of_all = {"lines": 2, "credit_count": 1, "debit_count": 1, "credits": 1000, "debits": 400}
    assert _controls(message(FROM_0_TO_10, SUMMARY, two)) == of_all


def test_a_file_cut_anywhere_is_refused() -> None:
    """F-H1."""
    body = message(FROM_0_TO_10, SUMMARY, entry("10", details="<TxDtls/><TxDtls/>"))
    whole = read(CAMT_053, body)
    assert all(refused_or_whole(CAMT_053, body[:end], whole) for end in range(len(body)))
    assert all(refusal(CAMT_053, body[:end])[0] == "truncated" for end in range(20, len(body)))
