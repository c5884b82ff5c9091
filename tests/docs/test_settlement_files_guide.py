"""The guide to settlement files names what there is: states, parts of a source, codes, alerts."""

import re
from pathlib import Path

from django.apps import apps
from django.core.management import get_commands

from reconciliation.fetchers.registry import FETCHERS
from reconciliation.formats.refusals import REFUSALS
from reconciliation.ingest.policy import ALERTS, OLDEST_DAYS
from reconciliation.sources.sweeping import UNUSABLE
from reconciliation.sources.watching import LATE
from reconciliation.states import FILE, STATEMENT

GUIDE = (Path(__file__).resolve().parents[2] / "docs/guides/settlement-files.md").read_text()


def firsts(section: str) -> list[str]:
    """What is named in the first column of a section's table."""
    text = GUIDE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    assert text, section
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return re.findall(r"`([\w.]+)`", " ".join(cells))


def test_every_state_is_explained() -> None:
    assert set(firsts("What happens to a file")) == set(FILE.states)
    assert set(firsts("Bank statements")) == set(STATEMENT.states)


def test_every_code_that_is_named_is_one() -> None:
    codes = {code for each in REFUSALS.values() for code in each}
    named = firsts("When a file is refused")
    assert len(named) > 10 and set(named) <= codes


def test_every_part_of_a_source_that_is_named_is_one() -> None:
    source = apps.get_model("reconciliation", "SettlementSource")
    fields = {field.name for field in source._meta.get_fields()}
    named = set(firsts("Sources"))
    assert named <= fields
    own = {"id", "merchant_id", "name", "is_enabled", "created_at", "updated_at", "files"}
    assert fields - own - named == set(), "explain them too"


def test_alerts_and_settings() -> None:
    assert all(f"`{name}`" in GUIDE for name in (*(alert.name for alert in ALERTS), UNUSABLE, LATE))
    assert f"`{OLDEST_DAYS.name}` ({OLDEST_DAYS.default})" in GUIDE


def test_every_way_that_files_come_and_every_command() -> None:
    assert firsts("How files come") == list(FETCHERS)
    commands = set(re.findall(r"manage\.py (\w+)", GUIDE))
    assert commands == {"import_settlement_file", "fetch_settlement_files"} <= set(get_commands())
