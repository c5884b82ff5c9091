"""A table with encrypted columns that exists only in tests."""

from collections.abc import Iterator

import pytest
from django.db import models
from django.test.utils import isolate_apps

from core.fields import EncryptedJSONField, EncryptedTextField
from core.ids import uuid7
from tests.database import as_owner

__all__ = ["Vault", "vault_table"]

with isolate_apps("core"):

    class Vault(models.Model):
        """One secret of each kind."""

        id = models.UUIDField(primary_key=True, default=uuid7)
        name = EncryptedTextField(null=True)
        note = EncryptedTextField(null=True)
        bank = EncryptedJSONField(null=True)

        class Meta:
            app_label = "core"
            db_table = "test_vault"


@pytest.fixture
def vault_table(transactional_db: None) -> Iterator[None]:
    """Create the table as owner; drop it before the database is emptied."""
    as_owner("CREATE TABLE test_vault (id uuid PRIMARY KEY, name bytea, note bytea, bank bytea)")
    as_owner("GRANT SELECT, INSERT, UPDATE, DELETE ON test_vault TO quittance_app")
    yield
    as_owner("DROP TABLE test_vault")
