"""Text in spreadsheets is text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.csv_cells import text_cell


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://x")',
        "+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " =1",
        "\u200b=1",
        "＝1",
        "%0A=1",
        "|x",
    ],
)
def test_what_looks_like_a_formula_is_text_a_f4(text: str) -> None:
    """A-F4: it begins with an apostrophe, and the text itself is whole."""
    assert text_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ann & Söhne", "a=b", "o'Neill", "李明", " x", "2-1"])
def test_names_stay_names(text: str) -> None:
    """Nothing is added to what is no formula."""
    assert text_cell(text) == text


@given(st.text())
def test_no_cell_begins_as_a_formula(text: str) -> None:
    """Whatever it is, and nothing of it is lost."""
    cell = text_cell(text)
    assert cell[:1] not in set("=+-@\t\r\n＝＋－＠") and cell.endswith(text)
