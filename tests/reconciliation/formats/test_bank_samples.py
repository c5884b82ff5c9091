"""Files of banks and of other people's tests, against the figures that their list gives for them."""

import ast
import json
import re
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest

from reconciliation.formats.camt import CAMT_052, CAMT_053, CAMT_054
from reconciliation.formats.contract import Format, Refused
from reconciliation.formats.mt940 import MT940
from reconciliation.formats.mt942 import MT942
from tests.reconciliation.formats.bank_reading import (
    Statement,
    index,
    options,
    read,
    refusal,
    samples,
    statements_of,
)

FORMATS: tuple[Format, ...] = (CAMT_052, CAMT_053, CAMT_054, MT940, MT942)
# Cut-outs, made-up balances, currencies that are no more: (code, line).
REFUSED_CAMT = {
    "bsp__camt053_duplicate_same_day.xml": ("closing_missing", 8),
    "genkgo__camt053.v2.minimal.xml": ("currency_mixed", 26),
    "genkgo__camt053.v2.with-account-name.xml": ("closing_missing", 8),
    "genkgo__camt053.v4.xml": ("currency_mixed", 30),
    "genkgo__camt053.v8.xml": ("currency_mixed", 30),
    "genkgo__camt53.only-Dt-with-DtTm.xml": ("closing_missing", 9),
    "oca14-sftp__camt053.xml": ("closing_missing", 7),
    "viafintech__invalid_namespace.xml": ("format_mismatch", None),
    "viafintech__valid_example_v8.xml": ("currency_mixed", 259),
}
REFUSED_MT = {
    "wolph-betterplace__amount_formats.sta": ("order_invalid", 1),
    "wolph-betterplace__empty_86.sta": ("order_invalid", 1),
    "wolph-betterplace__missing_crlf_at_end.sta": ("order_invalid", 1),
    "wolph-cmxl__account_balance_debit.sta": ("order_invalid", 1),
    "wolph-cmxl__mt940.sta": ("currency_unknown", 4),
    "wolph-cmxl__statement_details.sta": ("order_invalid", 1),
    "wolph-cmxl__statement_line.sta": ("order_invalid", 1),
    "wolph-jejik__abnamro.sta": ("statement_incomplete", 35),
    "wolph-self-provided__account_identification.sta": ("opening_missing", 4),
    "wolph-self-provided__multiline.sta": ("order_invalid", 38),
    "wolph-self-provided__raphaelm.sta": ("currency_unknown", 13),
    "wolph-self-provided__sparkassen.sta": ("order_invalid", 1),
}


def _content(path: Path) -> bytes:
    return path.read_bytes()


def _camt(shows: str) -> Format:
    return next(known for known in FORMATS if shows.startswith(known.name))


def _number(pattern: str, shows: str) -> int:
    found = re.search(pattern, shows)
    return int(found[1]) if found else 0


def _verdicts(shows: str) -> list[bool] | None:
    found = re.search(r"lines=closing: (\d+) yes, (\d+) no|entries=closing: (\d+) yes, (\d+) no", shows)
    if not found:
        return None
    yes, no = (int(figure) for figure in found.groups() if figure is not None)
    return [False] * no + [True] * yes


def _check_closing(statements: list[Statement], declared: str) -> None:
    last = statements[-1]
    assert last.totals.closing_minor == int(Decimal(declared.replace(",", ".")) * 100)


@pytest.mark.parametrize("folder", ["camt053", "camt052_054"])
def test_every_camt_sample_has_the_figures_of_its_list(folder: str) -> None:
    read_files = 0
    for name, shows in index(folder).items():
        if not shows.startswith("camt."):
            continue
        known, content = _camt(shows), _content(samples(folder) / name)
        if name in REFUSED_CAMT:
            assert refusal(known, content) == REFUSED_CAMT[name], name
            continue
        statements = read(known, content)
        read_files += 1
        assert len(statements) == _number(r"(\d+) (?:Stmt|Rpt|Ntfctn)", shows), name
        ignored = sum(statement.totals.ignored for statement in statements)
        entries, payments = _number(r"(\d+) Ntry", shows), _number(r"(\d+) TxDtls", shows)
        assert sum(len(statement.booked) for statement in statements) + ignored == entries, name
        # In all of them but one entry at most has several details, and the others have one.
        expected = payments - entries + 1 if payments > entries else 0
        assert sum(len(statement.details) for statement in statements) == expected, name
        for statement in statements:
            assert statement.document.currency in shows
            is_statement = known is CAMT_053
            assert (statement.document.opening_minor is not None) is is_statement
        if known is CAMT_053:
            found = re.search(r"CLBD (-?[\d.]+)", shows)
            assert found
            _check_closing(statements, found[1])
            assert sorted(statement.adds_up for statement in statements) == _verdicts(shows), name
        flags = {entry.is_reversal for statement in statements for entry in statement.entries}
        assert (True in flags) <= ("RvslInd" in shows), name
        reasons = {entry.return_reason for statement in statements for entry in statement.entries} - {""}
        assert bool(reasons) == ("RtrInf" in shows), name
    assert read_files >= {"camt053": 4, "camt052_054": 8}[folder]


def test_every_mt940_sample_has_the_figures_of_its_list() -> None:
    """F-H5 for withdrawn currencies: Deutsche Mark is none any more."""
    for name, shows in index("mt940").items():
        content = _content(samples("mt940") / name)
        if name in REFUSED_MT:
            assert refusal(MT940, content) == REFUSED_MT[name], name
            continue
        known = MT942 if "MT942" in shows else MT940
        statements = read(known, content)
        assert len(statements) == _number(r"(\d+) statement", shows), name
        assert sum(len(statement.entries) for statement in statements) == _number(r"(\d+) :61:", shows), name
        if known is MT940:
            found = re.search(r"last closing (-?[\d,]+) ([A-Z]{3})", shows)
            assert found
            _check_closing(statements, found[1])
            assert statements[-1].document.currency == found[2]
            assert sorted(statement.adds_up for statement in statements) == _verdicts(shows), name


@pytest.mark.parametrize(
    ("name", "known"),
    [("camt052.v2", CAMT_052), ("camt054.v2", CAMT_054), ("camt054.v8", CAMT_054)],
)
def test_another_reader_reads_the_same(name: str, known: Format) -> None:
    folder = samples("camt052_054")
    expected = json.loads((folder / f"genkgo__{name}.json").read_text("utf-8"))["getEntries"]
    (statement,) = read(known, _content(folder / f"genkgo__{name}.xml"))
    assert len(statement.booked) == len(expected)
    for entry, other in zip(statement.booked, expected, strict=True):
        assert str(entry.amount_minor) == other["getAmount"]["getAmount"]
        assert entry.currency == other["getAmount"]["getCurrency"]["getCode"]
        assert str(entry.booked_on) == other["getBookingDate"]["0"][:10]
        assert str(entry.value_on) == other["getValueDate"]["0"][:10]
        assert entry.bank_reference == (other["getAccountServicerReference"] or "")
        assert entry.batch_reference == (other["getBatchPaymentId"] or "")
        assert entry.is_reversal == other["getReversalIndicator"]
        assert statement.document.account == other["getRecord"]["getAccount"]["getIdentification"]
        count = len(other["getTransactionDetails"])
        assert len(statement.details) == (count if count > 1 else 0)


def test_details_are_what_another_reader_makes_of_them() -> None:
    """A direct debit that came back: two details in one reversal, each with its reason (F-H18)."""
    folder = samples("camt053")
    text = (folder / "oca16__golden-camt053.pydata").read_text("utf-8")
    currency, account, [expected] = ast.literal_eval(text)
    (statement,) = read(CAMT_053, _content(folder / "oca16__test-camt053.xml"))
    assert (statement.document.currency, statement.document.account) == (currency, account)
    parents = {entry.parent for entry in statement.details}
    lines = [entry for entry in statement.entries if entry.line_no not in parents]
    for entry, other in zip(lines, expected["transactions"], strict=True):
        assert entry.amount_minor == round(other["amount"] * 100)
        assert str(entry.booked_on) == other["date"]
        assert entry.counterparty == other["partner_name"]
        assert entry.counterparty_account == other["account_number"]
        assert entry.end_to_end == other["ref"]
        assert entry.code.replace("/", "-") == other["transaction_type"]
        assert entry.is_reversal == ("Reversal Indicator (RvslInd): true" in other["narration"])
    assert {entry.return_reason for entry in statement.details} == {"AC06"}


def test_returns_of_transfers_keep_their_reference() -> None:
    """German banks: a returned transfer is a credit whose text names the order's reference."""
    _, second = read(MT940, _content(samples("mt940") / "wolph-betterplace__sepa_snippet.sta"))
    returned = [entry for entry in second.entries if entry.code == "NTRF+159"]
    assert {(entry.end_to_end, entry.return_reason) for entry in returned} == {
        ("TFNR 40001 00005", "914"),
        ("TFNR 44001 00001", "914"),
        ("TFNR 40001 00002", "914"),
        ("TFNR 44001 00002", "901"),
    }


def test_dutch_slashes_are_read() -> None:
    (statement,) = read(MT940, _content(samples("mt940") / "oca10__test-ing.940"))
    third = statement.entries[2]
    assert (third.end_to_end, third.return_reason) == ("20120123456789", "MS03")
    assert (third.counterparty, third.counterparty_account) == ("J.Janssen", "NL32INGB0000012345")
    assert statement.document.account == "NL77INGB0574908765"


def test_nothing_crashes_on_any_sample_of_any_kind() -> None:
    """F-H6, F-H10: a file of another format is refused with a reason; nothing else is raised."""
    seen = 0
    for path in sorted(samples(".").rglob("*")):
        if not path.is_file() or path.suffix == ".gz":
            continue
        for known in FORMATS:
            for encoding in known.encodings:
                with suppress(Refused), path.open("rb") as body:
                    list(statements_of(known.read(body, options(encoding=encoding))))
                    seen += 1
    assert seen > 30
