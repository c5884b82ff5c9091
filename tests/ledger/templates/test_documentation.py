"""docs/reference/journals.md says what the templates do."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command

from ledger.chart import CHART
from ledger.templates.documentation import as_markdown
from ledger.templates.registry import JOURNALS

PAGE = Path("docs", "reference", "journals.md")


def test_the_page_is_up_to_date() -> None:
    call_command("document_journals", check=True)


def test_an_old_page_fails_the_check_and_is_written_anew(tmp_path: Path, settings: Any) -> None:
    page = (Path(project.BASE_DIR) / PAGE).read_text()
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError, match="out of date"):
        call_command("document_journals", check=True)
    (tmp_path / PAGE).parent.mkdir(parents=True)
    (tmp_path / PAGE).write_text(page.replace("97.10", "97.11"))
    with pytest.raises(CommandError, match="out of date"):
        call_command("document_journals", check=True)
    call_command("document_journals")
    assert (tmp_path / PAGE).read_text() == page
    call_command("document_journals", check=True)


def test_every_journal_and_every_account_is_on_it() -> None:
    page = as_markdown()
    assert all(f"\n### {number}: " in page for number in JOURNALS)
    assert all(f"\n| `{role.code}` | `{role.name}` |" in page for role in CHART.values())
    # No id is shown where a name should be.
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", page) and "None" not in page


def test_a_t_account_has_its_amount_on_its_side() -> None:
    section = as_markdown().partition("### P5: ")[2].partition("###")[0]
    head, keys, rule, amounts = section.partition("```text\n")[2].split("\n")[:4]
    assert head.split() == ["asset.bank", "exp.bank_fee", "asset.psp_settlement_in_transit"]
    assert keys.split() == ["[batch]"]
    assert rule.count("┬") == amounts.count("│") == 3
    assert amounts.split("│")[0].strip() == "96.60 USD"
    assert amounts.split("│")[3].strip() == "97.10 USD"
