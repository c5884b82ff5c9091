"""The same arguments give the same bytes, in whatever order they are asked for, and on any machine."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.months import Shape, month
from tests.months.__main__ import main
from tests.months.reading import body

# What was written when the generator was made. A change of it changes every month that anybody has measured:
# it is a decision, and then these change with it.
PINNED = {
    "stripe": "296a7e6f0709ab58a5d75cf7c381fe2840f93adf79397e87e78031180c048903",
    "adyen": "99d2c7d47ba86069f232ab4c53ee7a9fd9a12ab64dcd571c587ff7aa785175fe",
}


def digest(folder: Path) -> str:
    """Return one digest of all files of a folder, names included."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return found.hexdigest()


@pytest.mark.parametrize("profile", PINNED)
def test_the_bytes_are_those_of_every_machine(profile: str, tmp_path: Path) -> None:
    """Written by the command in another process, with another seed of Python's hashes, too."""
    arguments = ["--seed", "7", "--size", "1500", "--month", "2026-10", "--profile", profile, "--out"]
    assert main([*arguments, str(tmp_path / "here")]) == 0
    subprocess.run(
        [sys.executable, "-m", "tests.months", *arguments, str(tmp_path / "there")],
        cwd=Path(__file__).parents[2], check=True, capture_output=True, env={"PYTHONHASHSEED": "4711"},
    )  # fmt: skip
    assert digest(tmp_path / "here") == digest(tmp_path / "there") == PINNED[profile]


def test_another_seed_is_another_month() -> None:
    one, other = (body(next(month(seed, 300, "2026-10").psp_files())) for seed in (1, 2))
    assert one != other


def test_a_file_does_not_depend_on_what_was_asked_before() -> None:
    early, late = month(1, 1000, "2026-10"), month(1, 1000, "2026-10")
    last = list(late.bank_files())[-1]
    list(early.events()), list(early.answer_key())
    assert body(last) == body(list(early.bank_files())[-1])
    first = [body(file) for file in early.psp_files()]
    assert first == [body(file) for file in late.psp_files()] == [body(file) for file in late.psp_files()]
    assert list(early.events()) == list(late.events())


def test_a_shuffled_packed_file_is_the_same_twice() -> None:
    shape = Shape(shuffled_columns=True, gzip=True, order="shuffled")
    one, other = (month(1, 500, "2026-10", shape=shape) for _ in range(2))
    assert [body(file) for file in one.psp_files()] == [body(file) for file in other.psp_files()]


@pytest.mark.parametrize(
    "wrong",
    [{"size": 0}, {"month": "2026-13"}, {"profile": "other"}, {"second_currency": "EUR"}, {"per": "hour"}],
)
def test_arguments_that_make_no_month_are_refused(wrong: dict[str, object]) -> None:
    given: dict[str, object] = {"seed": 1, "size": 100, "month": "2026-10", **wrong}
    with pytest.raises(ValueError):
        month(**given)  # type: ignore[arg-type]
