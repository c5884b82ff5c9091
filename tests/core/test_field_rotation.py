"""Keys rotate without a stop and without losing a value."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from core.field_rotation import rotate_model
from core.management.commands import rotate_field_keys
from tests.core.test_encrypted_fields import key
from tests.core.vault import Vault, vault_table  # noqa: F401

pytestmark = pytest.mark.usefixtures("vault_table")


@pytest.fixture(autouse=True)
def _two_keys(settings: Any, vault_table: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: F811
    settings.FIELD_KEYS = [key("old", 1)]
    Vault.objects.bulk_create([Vault(name=f"n{n}", bank={"n": n}) for n in range(7)])
    settings.FIELD_KEYS = [key("new", 2), key("old", 1)]
    monkeypatch.setattr(rotate_field_keys, "encrypted_models", lambda: [Vault])
    yield


def key_ids() -> set[str]:
    return {value.key_id for row in Vault.objects.values_list("name", "bank") for value in row}


def test_everything_is_re_encrypted_in_batches(settings: Any) -> None:
    report = rotate_model(model=Vault, batch=3)
    assert (report.changed, report.failed) == (7, [])
    settings.FIELD_KEYS = [key("new", 2)]
    assert key_ids() == {"new"}
    assert sorted(row.name for row in Vault.objects.all()) == [f"n{n}" for n in range(7)]
    assert sorted(row.bank["n"] for row in Vault.objects.all()) == list(range(7))
    assert rotate_model(model=Vault, batch=3).changed == 0


def test_a_dry_run_changes_nothing() -> None:
    assert rotate_model(model=Vault, dry_run=True).changed == 7
    assert key_ids() == {"old"}


def test_the_command_reports_and_fails_on_what_does_not_open() -> None:
    out, err = StringIO(), StringIO()
    call_command("rotate_field_keys", stdout=out)
    assert "test_vault: 7 rows re-encrypted" in out.getvalue()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE test_vault SET name = overlay(name placing 'xxx' from 3)"
            " WHERE id = (SELECT min(id::text)::uuid FROM test_vault)"
        )
    with pytest.raises(CommandError, match="1 values could not be decrypted"):
        call_command("rotate_field_keys", stdout=out, stderr=err)
    assert "test_vault.name of row" in err.getvalue()
