"""manage.py demo_day: what the day asks of it, and where it refuses to work."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchant(settings: Any, tmp_path: Path) -> str:
    """The demo merchant."""
    settings.DEBUG = True
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.1/32:8200"]
    place = tmp_path / "demo.json"
    call_command("demo_data", sandbox_url="http://127.0.0.1:8200", file=str(place), verbosity=0)
    return str(json.loads(place.read_text())["merchant"])


def asked(capsys: pytest.CaptureFixture[str], *command: str) -> Any:
    capsys.readouterr()
    call_command("demo_day", *command)
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("missing", ["DEBUG", "TEST_HOOKS"])
def test_it_is_for_a_world_of_its_own(settings: Any, merchant: str, missing: str) -> None:
    settings.TEST_HOOKS = True
    setattr(settings, missing, False)
    with pytest.raises(CommandError, match="DEBUG and TEST_HOOKS"):
        call_command("demo_day", "books", merchant)


def test_it_prepares_and_tells(settings: Any, merchant: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings.TEST_HOOKS = True
    done = asked(capsys, "prepare", merchant, "--grant=b-1:points:300", "--block=ann-books")
    assert done == {"sellers": 2, "grants": 1}
    books = asked(capsys, "books", merchant)
    assert books["balances"]["PTS"]["points_available"] == -300
    assert books["balances"]["USD"]["promo"] == 300
    assert (books["movements"], books["breaks"]) == ([], [])
    day = asked(capsys, "day", merchant, f"--day={clock.today()}")
    assert day["status"] == "OPEN"
