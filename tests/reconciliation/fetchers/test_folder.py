"""A folder that a provider's client fills: what is whole is taken once, what is not is left alone."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from core import clock
from core.failpoints import arm
from reconciliation.services import fetch_due
from reconciliation.sources.sweeping import UNUSABLE
from reconciliation.types import SourceData
from tests.channels.lines import open_merchant
from tests.reconciliation.setup import activity, cases, files_of, runs, set_up, stage

pytestmark = pytest.mark.django_db
NAME = f"report-{clock.today() - timedelta(days=1)}.csv"


class Place:
    """The folder of one source."""

    def __init__(self, root: Path, source: SourceData) -> None:
        self.path = root / source.name
        for name in ("inbox", "taken"):
            (self.path / name).mkdir(parents=True)

    def lay(self, name: str, content: bytes) -> Path:
        """Write a file."""
        path = self.path / "inbox" / name
        path.write_bytes(content)
        return path

    def inbox(self) -> list[str]:
        """What lies there."""
        return sorted(os.listdir(self.path / "inbox"))

    def taken(self) -> dict[str, bytes]:
        """What was taken."""
        return {each.name: each.read_bytes() for each in (self.path / "taken").iterdir()}


@pytest.fixture
def source(db: None, hooks: Path, settings: Any, tmp_path: Path) -> Iterator[SourceData]:
    """A source whose files lie in a folder, since three days ago."""
    settings.SETTLEMENT_FILES_DIR = str(tmp_path / "files")
    merchant_id: UUID = open_merchant()
    yield set_up(merchant_id, fetcher="folder", begins_on=clock.today() - timedelta(days=3))


@pytest.fixture
def place(source: SourceData, tmp_path: Path) -> Place:
    """Its folder."""
    return Place(tmp_path / "files", source)


def test_a_file_is_taken_when_two_looks_find_it_the_same(source: SourceData, place: Place) -> None:
    """Not while it grows; then it is received, and moved when it is safe."""
    body = activity(clock.today() - timedelta(days=1), ["1.00", "2.00"])
    path = place.lay(NAME, body[:60])
    assert fetch_due().received == 0
    path.write_bytes(body)
    assert fetch_due().received == 0, "it has grown since the last look"
    assert fetch_due().received == 1
    assert (place.inbox(), place.taken()) == ([], {NAME: body})
    [file] = files_of(source)
    assert (file.name, file.size, file.origin) == (NAME, len(body), "folder")
    stage()
    assert fetch_due().done == 1
    assert clock.today() - timedelta(days=1) in runs(source)


def test_a_mark_beside_it_says_that_it_is_whole(source: SourceData, place: Place) -> None:
    place.lay(NAME, activity(clock.today()))
    place.lay(f"{NAME}.done", b"")
    assert fetch_due().received == 1
    assert place.inbox() == []


@pytest.mark.parametrize(
    "name", [".report.csv", "report.csv.part", "report.TMP", "report.filepart", "lone.done"]
)
def test_what_is_being_written_is_left_alone(source: SourceData, place: Place, name: str) -> None:
    place.lay(name, activity(clock.today()))
    for _ in range(3):
        assert fetch_due().received == 0
    assert place.inbox() == [name] and cases(UNUSABLE, source) == []


def test_killed_between_receiving_and_moving(source: SourceData, place: Place, hooks: Path) -> None:
    """The same body again changes nothing (I34), and then it is moved."""
    place.lay(NAME, activity(clock.today() - timedelta(days=1)))
    arm("settlement_folder.received", "raise")
    fetch_due()
    assert fetch_due().received == 0
    assert (place.inbox(), len(files_of(source))) == ([NAME], 1)
    fetch_due()
    assert (place.inbox(), list(place.taken()), len(files_of(source))) == ([], [NAME], 1)


def test_another_file_of_the_same_name_overwrites_nothing(source: SourceData, place: Place) -> None:
    bodies = [activity(clock.today(), [f"{number}.00"]) for number in (1, 2, 2)]
    for body in bodies:
        place.lay(NAME, body)
        place.lay(f"{NAME}.done", b"")
        fetch_due()
    assert sorted(place.taken().values()) == sorted(bodies[:2])
    assert len(files_of(source)) == 2


def test_a_missing_folder_is_no_empty_one(source: SourceData, place: Place) -> None:
    """A disk that is not mounted is told of at once; the case ends when the folder is there again."""
    (place.path / "taken").rmdir()
    place.lay(NAME, activity(clock.today()))
    assert fetch_due().received == 0
    [case] = cases(UNUSABLE, source)
    assert "no folder taken" in case.summary
    (place.path / "taken").mkdir()
    fetch_due()
    assert cases(UNUSABLE, source) == []


def test_what_cannot_be_taken_stays_and_is_told_of(source: SourceData, place: Place) -> None:
    """The other files are taken all the same."""
    from core.settings_store import put_setting
    from core.transactions import at_edge

    at_edge(put_setting)(
        name="reconciliation.max_file_bytes", value=200, scope="", actor="user:olga", reason="test"
    )
    place.lay("large.csv", activity(clock.today(), ["1.00"] * 20))
    place.lay("small.csv", activity(clock.today()))
    fetch_due()
    assert fetch_due().received == 1
    assert place.inbox() == ["large.csv"]
    [case] = cases(UNUSABLE, source)
    assert "large.csv" in case.summary


def test_a_link_is_no_file(source: SourceData, place: Place, tmp_path: Path) -> None:
    """Nothing outside of the folder is ever read."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (place.path / "inbox" / NAME).symlink_to(secret)
    for _ in range(3):
        assert fetch_due().received == 0
    assert files_of(source) == [] and secret.exists()
