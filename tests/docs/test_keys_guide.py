"""The commands of the manual that change the key of the encrypted columns, run as they stand there."""

import base64
import re
import shlex
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from channels.models import Channel
from core.field_rotation import encrypted_models
from core.fields import EncryptedField, Sealed
from merchants.models import Buyer
from merchants.services import ensure_buyer
from payouts.models import Destination
from tests.api.world import open_world

pytestmark = pytest.mark.django_db

GUIDE = (Path(__file__).resolve().parents[2] / "docs/operating/keys.md").read_text()
PERSONAL = {"email": "mia@example.com"}


def key(name: str, first: int) -> str:
    return f"{name}:{base64.b64encode(bytes(range(first, first + 32))).decode()}"


K1, K2 = key("k1", 1), key("k2", 101)


def commands() -> list[list[str]]:
    """The marked commands, as arguments of manage.py."""
    found = re.search(r"<!-- rotation -->\n *```sh\n(.*?)```", GUIDE, re.DOTALL)
    assert found, "the manual has no rotation"
    lines = [shlex.split(line) for line in found[1].strip().splitlines()]
    assert all(line[:2] == ["python", "manage.py"] for line in lines)
    return [line[2:] for line in lines]


def run(words: list[str]) -> list[str]:
    out = StringIO()
    call_command(*words, stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


def keys_in_use() -> dict[str, set[str]]:
    """Which keys the values of each table are under."""
    found: dict[str, set[str]] = {}
    for model in encrypted_models():
        fields = [each.attname for each in model._meta.concrete_fields if isinstance(each, EncryptedField)]
        for row in model._default_manager.all():
            under = {value.key_id for name in fields if isinstance(value := row.__dict__[name], Sealed)}
            found.setdefault(model._meta.db_table, set()).update(under)
    return {table: keys for table, keys in found.items() if keys}


def values() -> list[Any]:
    """What people would read."""
    channels = [row.credentials for row in Channel.objects.order_by("pk")]
    buyers = [row.personal for row in Buyer.objects.order_by("pk")]
    return [channels, buyers, [row.details for row in Destination.objects.order_by("pk")]]


@pytest.fixture
def old(db: None, settings: Any) -> list[Any]:
    """A merchant with one of everything, all of it written under the old key."""
    settings.INLINE_REGISTRATIONS = 0
    settings.FIELD_KEYS = [K1]
    world = open_world()
    with transaction.atomic():
        ensure_buyer(merchant_id=world.store.merchant_id, buyer_account="ann", personal=PERSONAL)
    assert set().union(*keys_in_use().values()) == {"k1"}
    assert {"channels_channel", "merchants_buyer", "payouts_destination"} <= set(keys_in_use())
    return values()


def test_the_commands_of_the_manual(old: list[Any], settings: Any) -> None:
    """A key in front, the three commands, then without the old key: every value opens and is the same."""
    settings.FIELD_KEYS = [K2, K1]
    looked, written, again = (run(words) for words in commands())
    tables = {model._meta.db_table for model in encrypted_models()}
    for said in (looked, written, again):
        assert {line.partition(":")[0] for line in said} == tables
    assert any(not line.endswith(": 0 rows to re-encrypt") for line in looked)
    assert all(line.endswith(": 0 rows to re-encrypt") for line in again)
    assert set().union(*keys_in_use().values()) == {"k2"}
    settings.FIELD_KEYS = [K2]
    assert values() == old
    assert all(line.endswith(": 0 rows to re-encrypt") for line in run(commands()[0]))


def test_a_key_that_was_removed_too_early_is_noticed(old: list[Any], settings: Any) -> None:
    settings.FIELD_KEYS = [K2]
    with pytest.raises(CommandError, match="could not be decrypted; keep the old keys"):
        run(commands()[0])
    settings.FIELD_KEYS = [K2, K1]
    assert values() == old
