"""Files and days on the command line: what is printed, and what the exit codes say."""

import gzip
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from core import clock
from core.ids import public_id
from reconciliation.models import SettlementFile
from reconciliation.types import SourceData
from tests.channels.lines import open_merchant
from tests.reconciliation.setup import activity, files_of, set_up

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 2)
DAYS = {"first": DAY, "last": DAY}


@pytest.fixture
def source(db: None) -> SourceData:
    """Reports that people bring."""
    merchant_id: UUID = open_merchant()
    return set_up(merchant_id, name="stripe")


def run(
    of: SourceData, *paths: Path, command: str = "import_settlement_file", **options: Any
) -> tuple[str, str, int]:
    """Run a command; return what it printed, its errors, and its exit code."""
    out, errors, code = StringIO(), StringIO(), 0
    given = {"merchant": public_id("mer", of.merchant_id), "source": of.name, **options}
    try:
        call_command(command, *paths, stdout=out, stderr=errors, **given)
    except CommandError as error:
        code = error.returncode
        errors.write(str(error))
    return out.getvalue(), errors.getvalue(), code


@pytest.mark.django_db(transaction=True)
def test_a_file_is_received_and_read_to_its_end(source: SourceData, tmp_path: Path) -> None:
    path = tmp_path / "report.csv.gz"
    path.write_bytes(gzip.compress(activity(DAY, ["1.00", "2.00"])))
    out, _, code = run(source, path, wait=True, **DAYS)
    assert code == 0 and "received as stl_" in out and "published, 2 lines, 2026-11-02 to 2026-11-02" in out
    out, _, code = run(source, path, wait=True, **DAYS)
    assert code == 0 and "was received before" in out
    assert len(files_of(source)) == 1


@pytest.mark.django_db(transaction=True)
def test_one_that_is_refused_stops_no_other(source: SourceData, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(activity(DAY))
    bad.write_bytes(activity(DAY, mark="x").replace(b"10.00,0.00", b"10.00,0.01"))
    out, errors, code = run(source, bad, good, tmp_path / "none.csv", wait=True, **DAYS)
    assert code == 1 and "none.csv" in errors
    assert "line_does_not_add_up" in errors and "(line 2)" in errors and "good.csv: published" in out
    assert run(source, bad, wait=True, **DAYS)[2] == 2


def test_a_dry_run_says_the_same_and_keeps_nothing(source: SourceData, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(activity(DAY, ["1.00", "-3.50", "2.00"]))
    out, errors, code = run(source, path, dry_run=True, **DAYS)
    assert code == 0 and "3 lines, 2026-11-02 to 2026-11-02" in out
    assert "USD: 3 lines, gross -0.50, fee 0.00, net -0.50" in out and not errors
    path.write_bytes(activity(DAY).replace(b"10.00,0.00", b"10.00,0.01"))
    out, errors, code = run(source, path, dry_run=True, **DAYS)
    assert code == 2 and "would be refused: line_does_not_add_up" in errors
    assert not SettlementFile.objects.exists()


def test_what_is_asked_for_must_make_sense(source: SourceData, tmp_path: Path) -> None:
    assert "both days" in run(source, tmp_path, first=DAY)[1]
    assert "no such source" in run(source, tmp_path, source="other")[1]
    assert "mer_" in run(source, tmp_path, merchant="x")[1]
    assert "by day" in run(source, command="fetch_settlement_files", day=DAY)[1]
    assert "--merchant" in run(source, command="fetch_settlement_files", day=DAY, source=None)[1]


def test_what_is_missing_is_looked_for_now(source: SourceData, settings: Any, tmp_path: Path) -> None:
    """A folder that is missing is no error of the look: a case tells of it."""
    settings.SETTLEMENT_FILES_DIR = str(tmp_path)
    begins = clock.today() - timedelta(days=1)
    folder = set_up(source.merchant_id, name="folder", fetcher="folder", begins_on=begins)
    for name in ("inbox", "taken"):
        (tmp_path / "folder" / name).mkdir(parents=True)
    (tmp_path / "folder" / "inbox" / f"x-{begins}.csv").write_bytes(activity(begins))
    (tmp_path / "folder" / "inbox" / f"x-{begins}.csv.done").touch()
    out, _, code = run(folder, command="fetch_settlement_files")
    assert code == 0 and "1 files received" in out
