"""The layouts are those of real files: compared with samples from elsewhere, where there are any."""

import csv
import os
from pathlib import Path

import pytest

from tests.months import Shape, month
from tests.months.reading import rows


def _sample(name: str) -> list[str]:
    folder = os.environ.get("QUITTANCE_SAMPLES", "")
    path = Path(folder) / name
    if not folder or not path.is_file():
        pytest.skip("needs QUITTANCE_SAMPLES: a folder of sample files from elsewhere")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file))


def _columns(profile: str, shape: Shape) -> list[str]:
    return list(rows(next(month(1, 100, "2026-10", profile, shape=shape).psp_files()))[0])


@pytest.mark.parametrize(
    "name", ["smashpig__settlement_detail_report_refund", "oca13__settlement_detail_report_batch_238"]
)
def test_the_columns_of_adyen(name: str) -> None:
    assert _columns("adyen", Shape()) == _sample(f"adyen_sdr/{name}.csv")


def test_the_optional_columns_of_adyen() -> None:
    wide = _sample("adyen_sdr/smashpig__settlement_detail_report_emptynetcredit.csv")
    assert set(_columns("adyen", Shape(optional_columns=True))) <= set(wide)


@pytest.mark.parametrize("name", ["settlement_report", "payments_activity"])
def test_the_columns_of_stripe(name: str) -> None:
    """All but the merchant's own metadata, and a column that the merchant's gateway added."""
    theirs = {
        column for column in _sample(f"stripe_reports/smashpig__{name}.csv") if "metadata[" not in column
    } - {"gateway_account"}
    assert theirs <= set(_columns("stripe", Shape()))
