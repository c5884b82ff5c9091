"""Delimited text: strictly in its encoding, whole, and by the names of its columns (F-H6, F-H9, F-H10)."""

import csv
from io import BytesIO, StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.formats.contract import Refused
from reconciliation.formats.delimited import (
    MAX_FIELD,
    MAX_LINE,
    MAX_RECORD_LINES,
    as_text,
    header,
    records,
    table,
    text_lines,
)

Rows = list[tuple[int, tuple[str, ...]]]


def rows(body: bytes, encoding: str = "utf-8", *, must_end: bool = True, delimiter: str = ",") -> Rows:
    """Return the columns `a`, `b` and the optional `c` of a body."""
    found = records(BytesIO(body), encoding=encoding, must_end=must_end, delimiter=delimiter)
    return [(line_no, fields) for line_no, fields, _ in table(found, header(found), ("a", "b"), ("c",))]


def refused(body: bytes, encoding: str = "utf-8", *, must_end: bool = True) -> tuple[str, int | None]:
    with pytest.raises(Refused) as caught:
        rows(body, encoding, must_end=must_end)
    return caught.value.code, caught.value.line_no


def test_columns_come_in_any_order_and_unknown_ones_are_ignored() -> None:
    assert rows(b"x,b,a\n1,2,3\n") == [(2, ("3", "2", ""))]
    assert rows(b" b ,c,  a\n2,4,3\n") == [(2, ("3", "2", "4"))]


def test_a_line_is_that_of_the_file_where_its_record_begins() -> None:
    """Line ends in quotes and blank lines count, whether lines end with CRLF or LF."""
    body = 'a,b\n1,"two\nlines"\n\n3,4\n'
    expected = [(2, ("1", "two\nlines", "")), (5, ("3", "4", ""))]
    assert rows(body.encode()) == expected
    in_crlf = [(2, ("1", "two\r\nlines", "")), expected[1]]
    assert rows(body.replace("\n", "\r\n").encode()) == in_crlf


def test_tabs_part_fields_where_the_format_says_so() -> None:
    assert rows(b"a\tb\n1,5\t2\n", delimiter="\t") == [(2, ("1,5", "2", ""))]


@pytest.mark.parametrize(
    ("body", "code", "line_no"),
    [
        (b"", "header_missing", 1),
        (b"\n\n", "header_missing", 1),
        (b"a,c\n1,2\n", "column_missing", 1),
        (b"\na,c\n1,2\n", "column_missing", 2),
        (b"a,b,a\n1,2,3\n", "column_twice", 1),
        (b"a,b,x,x\n1,2,3,4\n", "column_twice", 1),
        (b"a,b\n1,2\n3\n", "fields_count", 3),
        (b"a,b\n1,2,3\n", "fields_count", 2),
        (b"a,b\n1,2", "truncated", 2),
        (b'a,b\n1,2\n3,"4\n5,6\n', "quote_unclosed", 3),
        (b'a,b\n1,"2\n3,"4"\n', "quote_unclosed", 2),
        (b'a,b\n1,"2"3\n', "quote_unclosed", 2),
        (b"a,b\n1,2\r3,4\n", "delimiters_invalid", 2),
        (b"a,b\n1," + b"x" * (MAX_FIELD + 1) + b"\n", "field_too_long", 2),
        (b'a,b\n1,2\n3,"' + b"x\n" * (MAX_RECORD_LINES + 1) + b'"\n', "record_too_long", 3),
        (b"a,b\n1,2\n" + b"x," * (MAX_LINE // 2 + 1) + b"\n", "line_too_long", 3),
        (b"a,b\n1,2\0\n", "encoding_invalid", 2),
    ],
)
def test_what_is_broken_is_refused_with_its_line(body: bytes, code: str, line_no: int) -> None:
    """F-H9 (a quote that swallows what follows), F-H10 (a field above 131,072 characters) among them."""
    assert refused(body) == (code, line_no)


def test_a_field_may_be_as_long_as_allowed_and_the_limit_is_set_each_time() -> None:
    """F-H10: the limit of the csv module belongs to the process, and others may change it."""
    body = b"a,b\n1," + b"x" * MAX_FIELD + b"\n"
    before = csv.field_size_limit(10)
    try:
        assert len(rows(body)[0][1][1]) == MAX_FIELD
    finally:
        csv.field_size_limit(before)


def test_only_a_format_whose_files_need_not_end_with_a_line_end_accepts_one_without() -> None:
    assert rows(b"a,b\n1,2", must_end=False) == [(2, ("1", "2", ""))]


TEXT = "a,b\n1,付款 Zahlung für Öl\n"


@pytest.mark.parametrize(
    ("written", "declared", "is_read"),
    [
        ("utf-8", "utf-8", True),
        ("utf-8-sig", "utf-8", True),
        ("utf-8-sig", "utf-8-sig", True),
        ("gb18030", "gb18030", True),
        ("utf-16", "utf-8", False),
        ("utf-16-le", "utf-8", False),
        ("utf-16-be", "gb18030", False),
        ("gb18030", "utf-8", False),
        ("utf-32", "utf-8", False),
        ("utf-8", "utf-16", False),
        ("utf-8", "rot13", False),
        ("utf-8", "no-such-thing", False),
    ],
)
def test_a_body_is_in_the_declared_encoding_or_refused(written: str, declared: str, is_read: bool) -> None:
    """F-H6: the byte order mark is taken away, nothing else is tried."""
    body = TEXT.encode(written)
    if is_read:
        assert rows(body, declared) == [(2, ("1", "付款 Zahlung für Öl", ""))]
    else:
        assert refused(body, declared)[0] == "encoding_invalid"


def test_latin_1_is_read_only_where_it_is_declared() -> None:
    """F-H6: it never fails, so that it proves nothing."""
    body = "a,b\n1,für\n".encode("latin-1")
    assert refused(body) == ("encoding_invalid", 2)
    assert rows(body, "latin-1") == [(2, ("1", "für", ""))]


def test_a_character_cut_in_half_is_refused() -> None:
    assert refused("a,b\n1,付\n".encode()[:-2], must_end=False) == ("encoding_invalid", 2)
    assert refused("a,b\n1,付\n".encode("gb18030")[:-2], "gb18030", must_end=False) == ("encoding_invalid", 2)


def test_lines_are_given_as_they_are_for_formats_with_lines_that_are_no_records() -> None:
    body = '\ufeff#one "quote\n\n1,2\n'.encode()
    assert list(text_lines(BytesIO(body), encoding="utf-8")) == [
        (1, '#one "quote\n'),
        (2, "\n"),
        (3, "1,2\n"),
    ]
    assert len(list(text_lines(BytesIO(b"x\n" * 5000), encoding="utf-8"))) == 5000


FIELDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\ufeff"), max_size=20)


@given(st.lists(st.tuples(FIELDS, FIELDS), max_size=8), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_whatever_is_written_as_csv_is_read_back(
    given_rows: list[tuple[str, str]], has_mark: bool, end: str
) -> None:
    out = StringIO()
    writer = csv.writer(out, lineterminator=end)
    writer.writerow(("a", "b"))
    writer.writerows(given_rows)
    body = out.getvalue().encode("utf-8-sig" if has_mark else "utf-8")
    assert [fields for _, fields in rows(body)] == [(a, b, "") for a, b in given_rows]


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=2, max_size=5))
def test_a_row_is_shown_as_the_text_that_makes_it(row: list[str]) -> None:
    assert next(csv.reader(StringIO(as_text(row), newline=""), strict=True)) == row


@given(st.binary(max_size=60))
def test_any_bytes_are_rows_or_refused(noise: bytes) -> None:
    for body in (noise, b"a,b\n" + noise, b'a,b\n1,"' + noise + b'"\n'):
        try:
            rows(body)
        except Refused as refusal:
            assert refusal.code
