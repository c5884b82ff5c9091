"""The demo expects its provider's reports and its bank's statements from its first day on."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from core import clock
from reconciliation.selectors import list_sources
from reconciliation.sources.fetching import missing_days
from reconciliation.sources.reading import enabled_sources

pytestmark = pytest.mark.django_db


def test_the_demo_has_its_sources(settings: Any, tmp_path: Path) -> None:
    """None of them waits for a day before it."""
    settings.DEBUG = True
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.1/32:8200"]
    place = str(tmp_path / "demo.json")
    call_command("demo_data", sandbox_url="http://127.0.0.1:8200", file=place, verbosity=0)
    sources = enabled_sources()
    assert [(each.name, each.settings.fetcher, each.settings.format) for each in sources] == [
        ("stripe", "stripe", "stripe.payout_reconciliation"),
        ("bank", "bank", "camt.053"),
    ]
    assert all(missing_days(each, clock.now()) == [] for each in sources)
    assert len(list_sources(merchant_id=sources[0].merchant_id)) == 2
