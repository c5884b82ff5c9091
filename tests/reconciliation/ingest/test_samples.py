"""Real files on the whole way: each is published, or refused with a reason; none is a fault of ours.

Many of them were cut out or made up by whoever published them, and do not add up: the importer says so
(PSP rule: of 65 statements where it can be checked, 32 do not).
"""

from datetime import date

import pytest

from core.audits import run_audits
from reconciliation.models import SettlementFile
from tests.reconciliation.conftest import Desk
from tests.reconciliation.formats.bank_reading import samples

pytestmark = pytest.mark.django_db
DAY = date(2026, 1, 5)
AUDITS = [
    *("settlement_file_agrees_with_its_lines", "bank_statement_agrees_with_its_lines"),
    *("settlement_document_counts_once", "settlement_line_arithmetic"),
]
# The folder of samples, the format that reads them, and its encoding.
KINDS = (
    ("camt053", "camt.053", "utf-8"),
    ("camt052_054", "camt.054", "utf-8"),
    ("mt940", "mt940", "utf-8"),
    ("adyen_sdr", "adyen.settlement_details", "utf-8"),
    ("stripe_reports", "stripe.payout_reconciliation", "utf-8"),
    ("paypal_reports", "paypal.settlement", "utf-8"),
)


@pytest.mark.parametrize(("folder", "name", "encoding"), KINDS, ids=[each[1] for each in KINDS])
def test_every_sample_has_an_end(desk: Desk, folder: str, name: str, encoding: str) -> None:
    """F-H1, F-H5, F-H17: published or refused with code and message, and the audits hold over all of them."""
    kind = "bank" if name.startswith(("camt", "mt")) else "psp"
    files = sorted(each for each in samples(folder).iterdir() if each.name != "INDEX.md")
    assert files
    for each in files:
        # A source for each: they are of other accounts, and their statements follow on nothing.
        source = desk.source(kind=kind, format=name, encoding=encoding)
        received = desk.send(source, each.read_bytes(), asked_from=DAY, asked_to=DAY)
        file = desk.file(received)
        assert file.status in ("PUBLISHED", "PROVISIONAL", "REFUSED"), (each.name, file.status)
        assert (file.refusal is not None) == (file.status == "REFUSED")
        assert file.refusal is None or (file.refusal["code"] and file.refusal["message"])
    assert desk.letters() == []
    assert not SettlementFile.objects.filter(due_at__isnull=False).exists()
    report = run_audits(names=AUDITS, store=False)
    assert report.is_clean, [(found.name, found.sample) for found in (*report.violated, *report.failed)]
