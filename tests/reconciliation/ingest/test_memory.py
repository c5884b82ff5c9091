"""F-H7: a file ten times as large takes no more memory."""

from datetime import date
from pathlib import Path

import pytest

from tests.reconciliation.conftest import Desk
from tests.reconciliation.made import write_payout_reconciliation
from tests.reconciliation.stager import stager_env, start, told

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
DAY = date(2026, 11, 29)


def peak_mib(lines: int, path: Path) -> float:
    """The most memory that a process ever had that staged so many lines."""
    desk = Desk()
    net = write_payout_reconciliation(path, lines)
    received = desk.receive(
        desk.source(format="stripe.payout_reconciliation"), path.read_bytes(), asked_from=DAY, asked_to=DAY
    )
    spent = told(start(stager_env(), "work"))
    file = desk.file(received)
    assert (file.lines_count, file.totals["counted"]["EUR"]["net"]) == (lines, net)
    return spent["peak_mib"]


def test_memory_does_not_grow_with_the_file(transactional_db: None, tmp_path: Path) -> None:
    """Two chunks on their way, one part of the body, and nothing else."""
    small, large = (peak_mib(lines, tmp_path / "file.csv") for lines in (20_000, 100_000))
    assert large - small < 16, (small, large)
