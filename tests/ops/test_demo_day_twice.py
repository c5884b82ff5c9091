"""`make demo-day` for real, small: the proof holds, and the same seed ends with the same totals.

Two whole days of a system that is started anew take minutes, so they are played in `make chaos` only.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ops.launched import Tree
from tests.stateful.effort import IS_CHAOS

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.launcher,
    pytest.mark.processes,
    pytest.mark.skipif(not IS_CHAOS, reason="two whole days of a system: make chaos"),
]
CHECKOUTS, SEED = "60", "7"


def day(tree: Tree) -> dict[str, Any]:
    """Play a day; what it ended with."""
    done = subprocess.run(
        [sys.executable, "-m", "ops", "demo-day", f"--payments={CHECKOUTS}", f"--seed={SEED}"],
        cwd=tree.root,
        env=tree.environment(),
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert "The proof holds to the cent." in done.stdout
    assert "killed with SIGKILL" in done.stdout
    totals: dict[str, Any] = json.loads((tree.var / "demo-day" / "totals.json").read_text())
    return totals


def test_the_same_seed_ends_with_the_same_totals(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    first = day(tree)
    assert first["USD"]["captured"]["orders"] > 0
    assert first == day(tree)
