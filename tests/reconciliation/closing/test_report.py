"""The report of a day: page, CSV and PDF are made of the same tables, from the frozen figures alone."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.pdf_text import width
from reconciliation.closing import report_pdf as pdf
from reconciliation.closing.types import DayData
from reconciliation.selectors import report_csv, report_pdf, report_sections
from tests.reconciliation.closing.conftest import Closer

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def prepared(closer: Closer) -> DayData:
    closer.put("psp_clearing", 123456, provider="stripe", key="chg-1")
    closer.found(owner="user:mia", category="B", summary="短信 " + "long " * 50)
    return closer.prepare()


def printed(monkeypatch: pytest.MonkeyPatch, close: DayData) -> list[str]:
    """Every text that is drawn, in order."""
    drawn: list[str] = []
    real = pdf.draw

    def note(canvas: Any, x: float, y: float, text: str, **how: Any) -> None:
        # Nothing stands beside the paper.
        assert x >= 0 and x + width(text, size=how["size"], font=how.get("font", pdf.SANS)) <= pdf._WIDTH
        assert 0 <= y <= pdf._HEIGHT
        drawn.append(text)
        real(canvas, x, y, text, **how)

    monkeypatch.setattr(pdf, "draw", note)
    report_pdf(close, merchant="Shop", mode="test", prepared_by="mia", signed_by="")
    return drawn[len(drawn) // 2 :]


def test_all_forms_have_the_same_figures(closer: Closer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number of the report stands in the CSV and on the paper."""
    close = prepared(closer)
    numbers = {
        row[place]
        for section in report_sections(close.figures)
        for row in section.table.rows
        for place in section.table.numbers
    }
    assert "1234.56" in numbers
    cells = {
        cell for line in "".join(report_csv(close, merchant="S")).splitlines() for cell in line.split(",")
    }
    assert numbers <= cells | {""}
    drawn = printed(monkeypatch, close)
    assert numbers <= {*drawn, ""}
    assert close.digest in drawn and "TEST MODE, NO REAL MONEY" in drawn and "not signed yet" in drawn


def test_every_page_has_its_number_and_the_digest(closer: Closer, monkeypatch: pytest.MonkeyPatch) -> None:
    close = prepared(closer)
    row = close.figures["noted"]["open_rows"][0]
    figures = {**close.figures, "noted": {**close.figures["noted"], "open_rows": [row] * 150}}
    close = replace(close, figures=figures, closed_by="user:c", closed_at=datetime(2026, 1, 6, tzinfo=UTC))
    drawn = printed(monkeypatch, close)
    pages = [text for text in drawn if text.startswith("Page ")]
    assert len(pages) > 3
    assert pages == [f"Page {n} of {len(pages)}" for n in range(1, len(pages) + 1)]
    feet = [text for text in drawn if text == f"Close of {close.day} · {close.digest}"]
    assert len(feet) == len(pages)


def test_an_empty_day_has_a_report(closer: Closer) -> None:
    """Nothing but zeros is a report too: every part says what is not there."""
    empty = {
        "books": {"positions": [], "totals": [], "clearing": [], "sources": []},
        "noted": {
            "opened": [], "resolved": [], "open": [], "open_count": 0, "open_rows": [], "adjustments": [],
            "late": [], "checks": [],
        },
    }  # fmt: skip
    assert all(section.empty and not section.table.rows for section in report_sections(empty))
