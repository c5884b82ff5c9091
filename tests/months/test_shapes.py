"""The same rows, however they are written; and the answer key finds its own in all of them."""

import gzip

import pytest

from tests.months import Month, Shape, month
from tests.months.reading import body, rows

SHAPES = {
    "columns": Shape(shuffled_columns=True),
    "mark": Shape(bom=True, crlf=True),
    "more": Shape(optional_columns=True),
    "breaks": Shape(metadata_breaks=True),
    "packed": Shape(gzip=True),
    "reversed": Shape(order="reversed", crlf=True),
    "shuffled": Shape(order="shuffled", metadata_breaks=True, gzip=True),
}


def made(profile: str, shape: Shape | None = None, size: int = 400, per: str = "day") -> Month:
    return month(4, size, "2026-10", profile, shape=shape or Shape(), per=per)


def reduced(month: Month, names: set[str]) -> list[list[tuple[str, ...]]]:
    """Return the rows of each file, of the named columns, sorted."""
    return [
        sorted(tuple(row[name] for name in sorted(names)) for row in rows(file)) for file in month.psp_files()
    ]


@pytest.mark.parametrize("profile", ["stripe", "adyen"])
def test_a_shape_changes_no_row(profile: str) -> None:
    plain = made(profile)
    names = set(rows(next(plain.psp_files()))[0])
    wanted = reduced(plain, names)
    for name, shape in SHAPES.items():
        assert reduced(made(profile, shape), names) == wanted, name


@pytest.mark.parametrize("profile", ["stripe", "adyen"])
def test_shapes_are_what_they_say(profile: str) -> None:
    first = {name: body(next(made(profile, shape).psp_files())) for name, shape in SHAPES.items()}
    plain = body(next(made(profile).psp_files()))
    assert not plain.startswith(b"\xef\xbb\xbf") and b"\r" not in plain
    assert first["mark"] == b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n")
    assert gzip.decompress(first["packed"]) == plain
    assert first["columns"].split(b"\n")[0] != plain.split(b"\n")[0]
    assert len(first["more"].split(b"\n")[0].split(b",")) > len(plain.split(b"\n")[0].split(b","))
    assert first["breaks"].count(b"\n") > plain.count(b"\n")
    lines = plain.split(b"\n")[1:-1]
    assert first["reversed"].split(b"\r\n")[1:-1] == lines[::-1]


@pytest.mark.parametrize("per", ["day", "month"])
@pytest.mark.parametrize("order", ["natural", "reversed", "shuffled"])
@pytest.mark.parametrize("profile", ["stripe", "adyen"])
def test_the_key_points_at_the_same_rows_in_any_order(profile: str, order: str, per: str) -> None:
    plain, other = made(profile, size=1000), made(profile, Shape(order=order), 1000, per)
    tables = [{file.name: rows(file) for file in each.psp_files()} for each in (plain, other)]
    checked = 0
    for one, two in zip(plain.answer_key(), other.answer_key(), strict=True):
        assert len(one["where"]) == len(two["where"])
        for here, there in zip(one["where"], two["where"], strict=True):
            if "record" in here:
                assert here["line"] == here["record"] + 1
                found = [
                    table[place["file"]][place["record"] - 1]
                    for table, place in zip(tables, (here, there), strict=True)
                ]
                assert found[0] == found[1]
                checked += 1
    assert checked > 15
