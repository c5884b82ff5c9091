"""A month streams: how much memory it takes does not follow its size."""

import subprocess
import sys
from pathlib import Path

# By how many kilobytes the peak grows while all events, or all settlement files, are made.
CODE = """
import io, resource, sys
from tests.months import month

class Nowhere(io.RawIOBase):
    def writable(self): return True
    def write(self, data): return len(data)

peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
made = month(1, int(sys.argv[1]), "2026-10", per=sys.argv[2])
if sys.argv[3] == "events":
    count = sum(1 for _ in made.events())
else:
    for file in made.psp_files():
        file.write(Nowhere())
    count = sum(day["count"] for day in made.days())
print(count, peak() - before)
"""


def grown(size: int, per: str, what: str) -> int:
    """Return by how many kilobytes a process grows when it makes a month."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(size), per, what], cwd=Path(__file__).parents[2], check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    count, kilobytes = map(int, done.stdout.split())
    assert count > size * 0.97
    return kilobytes


def test_a_hundred_thousand_payments_take_no_more_memory_than_a_few() -> None:
    """F-H7. One file of 100,000 rows is 40 MB; a list of its rows would take 100 MB and more."""
    assert grown(100_000, "month", "files") < 12_000


def test_events_are_not_kept() -> None:
    assert grown(30_000, "day", "events") < 12_000
