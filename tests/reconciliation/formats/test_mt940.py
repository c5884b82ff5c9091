"""MT940 and MT942: money and days strictly, layout as banks write it."""

from contextlib import suppress
from datetime import date
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.formats.contract import Refused, Totals
from reconciliation.formats.mt940 import MT940
from reconciliation.formats.mt942 import MT942
from tests.reconciliation.formats.bank_reading import (
    Statement,
    options,
    read,
    refusal,
    refused_or_whole,
    statements_of,
)


def message(
    *entries: str,
    opening: str = ":60F:C261129EUR0,00",
    closing: str = ":62F:C261130EUR10,00",
    number: str = ":28C:7/1",
    account: str = ":25:DE89370400440532013000",
) -> bytes:
    """One message, with line ends as SWIFT has them."""
    lines = [":20:REF", account, number, opening, *entries, closing, "-"]
    return "".join(f"{line}\r\n" for line in lines if line).encode()


def entry(
    mark: str = "C", amount: str = "10,00", *, day: str = "2611301130", rest: str = "NTRFNONREF"
) -> str:
    """A `:61:`."""
    return f":61:{day}{mark}{amount}{rest}"


def one(*entries: str, **parts: str) -> Statement:
    """Read the one statement of a message."""
    (found,) = read(MT940, message(*entries, **parts))
    return found


def test_a_statement_is_read() -> None:
    found = one(
        entry(rest="NTRFORDER-1//BANK-1"),
        ":86:166?00GUTSCHRIFT?109245?20EREF+PO-1?21SVWZ+Invoice?22 12?30COBADEFF?31DE02120300000000202051",
        "?32Jane ?33Doe?34000",
    )
    assert found.adds_up
    assert found.document.identity == "DE89370400440532013000:EUR:2026:7"
    assert (found.document.sequence, found.document.kind) == (7, "statement")
    assert (found.document.period_from, found.document.period_to) == (date(2026, 11, 29), date(2026, 11, 30))
    (line,) = found.entries
    assert line._asdict() == {
        "line_no": 5,
        "amount_minor": 1000,
        "currency": "EUR",
        "booked_on": date(2026, 11, 30),
        "value_on": date(2026, 11, 30),
        "parent": None,
        "bank_reference": "BANK-1",
        "end_to_end": "PO-1",
        "batch_reference": "ORDER-1",
        "code": "NTRF+166",
        "is_reversal": False,
        "return_reason": "",
        "counterparty": "Jane Doe",
        "counterparty_account": "DE02120300000000202051",
        "text": "Invoice 12 GUTSCHRIFT",
    }


@pytest.mark.parametrize(
    ("mark", "amount", "minor", "is_reversal"),
    [
        ("C", "10,00", 1000, False),
        ("D", "10,00", -1000, False),
        ("RC", "10,00", -1000, True),
        ("RD", "10,00", 1000, True),
        ("CR", "10,00", 1000, False),
        ("DR", "10,00", -1000, False),
        ("RCR", "10,00", -1000, True),
        ("RDR", "10,00", 1000, True),
        ("C", "10,", 1000, False),
        ("C", "10", 1000, False),
        ("C", "10,5", 1050, False),
        ("C", "000000000010,00", 1000, False),
        ("C", "0,", 0, False),
    ],
)
def test_marks_and_amounts(mark: str, amount: str, minor: int, is_reversal: bool) -> None:
    """F-H18: a reversed credit is a debit. The letter R alone is the euro's last: no reversal."""
    (line,) = one(entry(mark, amount)).entries
    assert (line.amount_minor, line.is_reversal) == (minor, is_reversal)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (entry("CD"), "currency_mixed"),
        (entry("X"), "entry_invalid"),
        (entry("EC"), "entry_invalid"),
        (entry("C", "10.00"), "entry_invalid"),
        (entry("C", "1.000,00"), "entry_invalid"),
        (entry("C", "-10,00"), "entry_invalid"),
        (entry("C", "10,001"), "amount_invalid"),
        (entry("C", ",50"), "entry_invalid"),
        (entry("C", "1\x000,00"), "entry_invalid"),
        (entry(rest="TRF"), "entry_invalid"),
        (entry(day="2613311130"), "date_invalid"),
        (entry(day="2604311130"), "date_invalid"),
        (entry(day="2611301331"), "date_invalid"),
        (entry(day="26113\u06601130"), "entry_invalid"),  # digits, but not those of the standard
        (entry("C", "1\u0660,00"), "entry_invalid"),
        (":61:", "entry_invalid"),
    ],
)
def test_an_entry_that_is_not_certain_refuses_the_file(wrong: str, code: str) -> None:
    """F-H20, F-H5."""
    assert refusal(MT940, message(entry(), wrong)) == (code, 6)


@pytest.mark.parametrize(
    ("parts", "code", "line"),
    [
        ({"opening": ""}, "opening_missing", 4),
        ({"closing": ""}, "truncated", 7),
        ({"closing": ":62F:C261130EUR10,00\r\n:62F:C261130EUR10,00"}, "two_closing_balances", 7),
        ({"opening": ":60F:C261129EUR0,\r\n:60F:C261129EUR0,"}, "two_opening_balances", 5),
        ({"closing": ":62F:C261130USD10,00"}, "currency_mixed", 6),
        ({"closing": ":62F:C261131EUR10,00"}, "date_invalid", 6),
        ({"closing": ":62F:C261130EUR10.00"}, "balance_invalid", 6),
        ({"closing": ":62F:C261130EUR10,00\r\nmore"}, "balance_invalid", 6),
        ({"closing": ":62F:C261130EUR10,00\r\n" + entry()}, "order_invalid", 7),
        ({"closing": ":62F:261130EUR10,00"}, "balance_invalid", 6),
        ({"closing": ":62F:C261130XXZ10,00"}, "currency_unknown", 6),
        ({"number": ":28C:seven"}, "number_invalid", 3),
        ({"account": ""}, "account_missing", 3),
        ({"account": ":25:"}, "account_missing", 2),
        ({"number": ":99:7"}, "order_invalid", 3),
        ({"number": ":34F:EUR0,"}, "format_mismatch", 3),
    ],
)
def test_a_message_that_contradicts_itself_is_refused(parts: dict[str, str], code: str, line: int) -> None:
    """F-H17: two closing balances; F-H5: two currencies."""
    assert refusal(MT940, message(entry(), **parts)) == (code, line)


@pytest.mark.parametrize(
    ("day", "value", "booked"),
    [
        ("1602300301", date(2016, 2, 29), date(2016, 3, 1)),  # months of 30 days
        ("2602290301", date(2026, 2, 28), date(2026, 3, 1)),
        ("2512310102", date(2025, 12, 31), date(2026, 1, 2)),  # the turn of a year, both ways
        ("2601021231", date(2026, 1, 2), date(2025, 12, 31)),
        ("261129", date(2026, 11, 29), date(2026, 11, 29)),
        ("261129    ", date(2026, 11, 29), date(2026, 11, 29)),
        ("9912311231", date(1999, 12, 31), date(1999, 12, 31)),
    ],
)
def test_days(day: str, value: date, booked: date) -> None:
    """F-H15: entry dates have no year; that of the statement's opening balance is near."""
    near = value.strftime("%y%m%d")
    found = one(entry(day=day), opening=f":60F:C{near}EUR0,", closing=f":62F:C{near}EUR10,")
    assert (found.entries[0].value_on, found.entries[0].booked_on) == (value, booked)


@pytest.mark.parametrize("field", [":60F:C260230EUR0,", ":60F:C260229EUR0,"])
def test_a_balance_has_no_thirtieth_of_february(field: str) -> None:
    assert refusal(MT940, message(entry(), opening=field)) == ("date_invalid", 4)


def test_a_statement_may_be_in_several_messages() -> None:
    first = message(entry("C", "4,"), closing=":62M:C261130EUR4,", number=":28C:7/1")
    second = message(entry("C", "6,"), opening=":60M:C261130EUR4,", number=":28C:7/2")
    (found,) = read(MT940, first + second)
    assert found.adds_up
    assert [line.amount_minor for line in found.entries] == [400, 600]
    assert (found.document.opening_minor, found.totals.closing_minor) == (0, 1000)


FIRST = {"closing": ":62M:C261130EUR4,"}
SECOND = {"opening": ":60M:C261130EUR4,", "number": ":28C:7/2"}


@pytest.mark.parametrize(
    "bodies",
    [
        [FIRST],
        [SECOND],
        [FIRST, {}],
        [FIRST, SECOND | {"opening": ":60M:C261130EUR5,"}],
        [FIRST, SECOND | {"number": ":28C:8/2"}],
        [FIRST, SECOND | {"account": ":25:DE02120300000000202051"}],
        [FIRST, SECOND | {"opening": ":60M:C261130USD4,", "closing": ":62F:C261130USD4,"}],
    ],
)
def test_a_part_that_is_missing_is_noticed(bodies: list[dict[str, str]]) -> None:
    """F-H1."""
    body = b"".join(message(**parts) for parts in bodies)
    assert refusal(MT940, body)[0] == "statement_incomplete"


def test_layout_around_messages_means_nothing() -> None:
    plain = message(entry(), ":86:text").decode()
    whole = read(MT940, plain.encode())
    for before, after in (
        ("{1:F01BANKDEFFXXXX0000000000}{2:O940BANKDEFFXXXXN}{3:}{4:\r\n", "}{5:}\r\n"),
        ("\r\n\r\n", "\r\n"),
        ("BANKNL2A\r\n940\r\nBANKNL2A\r\n", ""),
        ("\x01\r\n", "\x03"),
        ("\ufeff:940:\r\n", "XXX"),
    ):
        framed = before + plain.removesuffix("\r\n") + after
        found = read(MT940, framed.encode())
        assert [line._replace(line_no=0) for line in found[0].entries] == [
            line._replace(line_no=0) for line in whole[0].entries
        ]
        assert found[0].adds_up
    assert read(MT940, plain.replace("\r\n", "\n").encode()) == whole
    assert [found.adds_up for found in read(MT940, (plain + plain).encode())] == [True, True]


def test_a_dash_in_a_text_does_not_end_a_message() -> None:
    found = one(entry(), ":86:one", "- two", "-", ":10: three", ":99: four")
    assert found.adds_up
    assert found.entries[0].text == "one - two - :10: three :99: four"


def test_lines_that_were_wrapped_are_read() -> None:
    found = one(":61:2611301130C", "10,00NTRFNONREF//B", number=":28C:0000\r\n0")
    assert found.adds_up
    assert found.document.sequence is None
    assert found.document.identity == "DE89370400440532013000:EUR:2026-11-29:2026-11-30:1000"


def test_what_is_told_behind_the_balances_is_of_no_entry() -> None:
    found = one(entry(), closing=":62F:C261130EUR10,00\r\n:64:C261130EUR10,\r\n:86:of the statement")
    assert not found.entries[0].text


def test_dutch_details_and_the_currency_behind_an_iban() -> None:
    found = one(
        entry(),
        ":86:/RTRN/AC04//EREF/PO-9//CNTP/NL32INGB0000012345/INGBNL2A/J.Jans",
        "sen///REMI/USTD//Back to you/",
        account=":25:NL77INGB0574908765EUR",
    )
    (line,) = found.entries
    assert found.document.account == "NL77INGB0574908765"
    assert (line.return_reason, line.end_to_end, line.counterparty) == ("AC04", "PO-9", "J.Janssen")
    assert (line.counterparty_account, line.text) == ("NL32INGB0000012345", "Back to you")


def test_control_characters_do_not_reach_the_database() -> None:
    found = one(entry(rest="NTRFA\x00B//C\x00D"), ":86:one\x00two\x1f", account=":25:12\x0034")
    (line,) = found.entries
    for value in (*line, *vars(found.document).values()):
        assert not isinstance(value, str) or not any(character < " " for character in value)


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "cp1252"])
def test_the_encoding_is_the_declared_one(encoding: str) -> None:
    """F-H6: never guessed."""
    body = message(entry(), ":86:Überweisung").decode().encode(encoding)
    assert read(MT940, body, encoding=encoding)[0].entries[0].text == "Überweisung"
    wrong = "ascii" if encoding == "utf-8" else "utf-8"
    assert refusal(MT940, body, encoding=wrong) == ("encoding_invalid", 6)


@pytest.mark.parametrize("encoding", MT940.encodings)
def test_other_encodings_are_refused(encoding: str) -> None:
    """F-H6: UTF-16, and a file that is no message at all."""
    for body in (
        message(entry()).decode().encode("utf-16"),
        b"date;amount\r\n",
        b"",
        b"%PDF-1.4\n\xff\xfe\n",
    ):
        assert refusal(MT940, body, encoding=encoding)[0] in {
            "encoding_invalid",
            "format_mismatch",
            "truncated",
        }


def test_lines_and_fields_that_do_not_end_are_refused() -> None:
    """F-H10."""
    assert refusal(MT940, message(":86:" + "x" * 9000)) == ("line_too_long", 5)
    code, line = refusal(MT940, message(entry(), ":86:" + "x" * 4000, *["x" * 4000] * 40))
    assert (code, line) == ("line_too_long", 22)
    assert refusal(MT940, message(entry(), *[":86:x"] * 200))[0] == "line_too_long"


def test_two_fields_of_details_are_one_text() -> None:
    assert one(entry(), ":86:one", ":86:two").entries[0].text == "one two"


def test_a_file_of_more_statements_than_can_be_kept_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciliation.formats.mt940._STATEMENTS_MAX", 2)
    assert len(read(MT940, message(entry()) * 2)) == 2
    assert refusal(MT940, message(entry()) * 3) == ("too_many_statements", 18)


def test_a_file_cut_anywhere_is_refused() -> None:
    """F-H1: or it says all that it said, because what is cut off is layout."""
    body = message(entry("C", "4,"), ":86:one", entry("RD", "6,00"), ":86:two")
    whole = read(MT940, body)
    assert whole[0].adds_up
    closed = body.index(b":62F:") + len(":62F:C261130EUR10,00\r\n")
    for end in range(len(body)):
        assert refused_or_whole(MT940, body[:end], whole), end
        if end < closed:
            assert refusal(MT940, body[:end]), end


@given(noise=st.binary(max_size=40), at=st.floats(0, 1), encoding=st.sampled_from(MT940.encodings))
def test_whatever_the_bytes_are_nothing_but_a_refusal_is_raised(
    noise: bytes, at: float, encoding: str
) -> None:
    good = message(entry(), ":86:166?20EREF+X?32Y", entry("RD"), ":86:/EREF/X//CNTP/Y/Z/")
    cut = int(at * len(good))
    body = good[:cut] + noise + good[cut:]
    for known in (MT940, MT942):
        with suppress(Refused):
            items = list(known.read(BytesIO(body), options(encoding=encoding)))
            assert isinstance(items[-1], Totals)
            list(statements_of(items))


def interim(*lines: str) -> bytes:
    """One MT942."""
    head = [":20:REF", ":25:DE89370400440532013000", ":28C:12/1", ":34F:EUR0,00", ":13D:2611301730+0100"]
    return "".join(f"{line}\r\n" for line in (*head, *lines)).encode()


SUMS = (":90D:1EUR3,00", ":90C:2EUR14,00")
BOOKED = (entry("C", "10,"), ":86:one", entry("C", "4,"), entry("D", "3,"))


def test_an_interim_report_is_read() -> None:
    """F-H4: what it declares is handed on."""
    (found,) = read(MT942, interim(*BOOKED, *SUMS, "-"))
    assert found.document.identity == "DE89370400440532013000:EUR:2611301730:12/1"
    assert (found.document.kind, found.document.sequence) == ("report", None)
    assert (found.document.opening_minor, found.totals.closing_minor) == (None, None)
    assert [line.amount_minor for line in found.entries] == [1000, 400, -300]
    assert {control.what: control.value for control in found.totals.controls} == {
        "debit_count": 1,
        "debits": 300,
        "credit_count": 2,
        "credits": 1400,
    }


def test_what_is_only_expected_does_not_count() -> None:
    (found,) = read(MT942, interim(entry("EC", "9,"), entry("C", "4,"), ":90C:2EUR13,00"))
    assert (len(found.entries), found.totals.ignored, found.totals.controls) == (1, 1, ())


def test_a_report_ends_with_its_sums_or_with_a_dash() -> None:
    assert read(MT942, interim(*BOOKED, "-"))[0].totals.controls == ()
    assert len(read(MT942, interim(*BOOKED, *SUMS) * 2)) == 2
    assert refusal(MT942, interim(*BOOKED))[0] == "truncated"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (message(entry()), "format_mismatch"),
        (b"", "format_mismatch"),
        (interim(*SUMS, *BOOKED), "order_invalid"),
        (interim(*SUMS, *SUMS), "order_invalid"),
        (interim(":90C:2USD14,00"), "currency_mixed"),
        (interim(":34F:USD0,", "-"), "currency_mixed"),
        (interim(":90C:two"), "balance_invalid"),
        (interim(":13D:261130", "-"), "date_invalid"),
        (interim("-").replace(b":34F:EUR0,00\r\n", b""), "currency_unknown"),
        (interim("-").replace(b":13D:2611301730+0100\r\n", b""), "period_missing"),
        (interim("-").replace(b":25:", b":21:"), "account_missing"),
    ],
)
def test_a_report_that_contradicts_itself_is_refused(body: bytes, code: str) -> None:
    assert refusal(MT942, body)[0] == code


def test_a_report_without_a_time_is_of_the_day_of_its_first_entry() -> None:
    body = interim(*BOOKED, "-").replace(b":13D:2611301730+0100\r\n", b"")
    (found,) = read(MT942, body)
    assert found.document.period_from == date(2026, 11, 30)
    assert found.document.identity.endswith(":REF:12/1")
