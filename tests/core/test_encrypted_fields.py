"""A stolen dump shows nothing, and a moved ciphertext does not open (A-H13)."""

import base64
from typing import Any

import pytest
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection, models
from django.test.utils import isolate_apps

from core.fields import DecryptionFailed, EncryptedTextField, Sealed
from core.ids import uuid7
from core.keys import EnvironmentKeys, parse_keys
from tests.core.vault import Vault, vault_table  # noqa: F401

pytestmark = pytest.mark.usefixtures("vault_table")
IBAN = "DE89370400440532013000"


def key(name: str, byte: int) -> str:
    return f"{name}:{base64.b64encode(bytes([byte]) * 32).decode()}"


def sql(text: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchall() if cursor.description else []


def test_values_come_back() -> None:
    row = Vault.objects.create(name="Ada", note="", bank={"iban": IBAN, "lines": [1, None, "é"]})
    again = Vault.objects.get(pk=row.pk)
    assert (again.name, again.note, again.bank) == ("Ada", "", {"iban": IBAN, "lines": [1, None, "é"]})
    assert Vault.objects.get(pk=Vault.objects.create().pk).name is None


def test_a_stolen_dump_shows_nothing() -> None:
    """A-H13: neither the value nor its equality with another row's value can be seen."""
    one = Vault.objects.create(name=IBAN, bank={"iban": IBAN})
    two = Vault.objects.create(name=IBAN, bank={"iban": IBAN})
    dump = b"".join(bytes(cell) for row in sql("SELECT name, bank FROM test_vault") for cell in row)
    assert IBAN.encode() not in dump
    blobs = dict(sql("SELECT id, name FROM test_vault"))
    assert bytes(blobs[one.pk]) != bytes(blobs[two.pk])
    assert IBAN not in repr(Vault.objects.values("name", "bank")[0])


def test_a_value_moved_to_another_row_does_not_open() -> None:
    """A-H13."""
    mine, other = Vault.objects.create(name="mine"), Vault.objects.create(name="other")
    sql("UPDATE test_vault SET name = (SELECT name FROM test_vault WHERE id = %s)", mine.pk)
    assert Vault.objects.get(pk=mine.pk).name == "mine"
    with pytest.raises(DecryptionFailed, match=str(other.pk)):
        _ = Vault.objects.get(pk=other.pk).name


def test_a_value_moved_to_another_column_does_not_open() -> None:
    row = Vault.objects.create(name="mine", note="note")
    sql("UPDATE test_vault SET note = name")
    with pytest.raises(DecryptionFailed, match="note"):
        _ = Vault.objects.get(pk=row.pk).note


@pytest.mark.parametrize("position", [0, 2, 8, -1])
def test_one_changed_bit_does_not_open(position: int) -> None:
    row = Vault.objects.create(name="mine")
    blob = bytearray(sql("SELECT name FROM test_vault")[0][0])
    blob[position] ^= 1
    sql("UPDATE test_vault SET name = %s", bytes(blob))
    with pytest.raises(DecryptionFailed):
        _ = Vault.objects.get(pk=row.pk).name


def test_unknown_key_fails_closed(settings: Any) -> None:
    settings.FIELD_KEYS = [key("old", 1)]
    row = Vault.objects.create(name="mine")
    settings.FIELD_KEYS = [key("new", 2)]
    with pytest.raises(DecryptionFailed):
        _ = Vault.objects.get(pk=row.pk).name
    # The same id with other bytes is no better.
    settings.FIELD_KEYS = [key("old", 2)]
    with pytest.raises(DecryptionFailed):
        _ = Vault.objects.get(pk=row.pk).name


def test_the_first_key_writes_and_all_read(settings: Any) -> None:
    settings.FIELD_KEYS = [key("old", 1)]
    row = Vault.objects.create(name="mine")
    settings.FIELD_KEYS = [key("new", 2), key("old", 1)]
    row = Vault.objects.get(pk=row.pk)
    assert row.__dict__["name"].key_id == "old"
    row.note = "added"
    row.save()
    stored = Vault.objects.get(pk=row.pk)
    assert (stored.__dict__["name"].key_id, stored.__dict__["note"].key_id) == ("old", "new")
    assert (stored.name, stored.note) == ("mine", "added")


def test_nothing_is_decrypted_until_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Vault.objects.create(name="mine")
    opened: list[object] = []
    original = Sealed.open
    monkeypatch.setattr(Sealed, "open", lambda self, **kw: opened.append(self) or original(self, **kw))
    again = Vault.objects.get(pk=row.pk)
    again.save()
    assert opened == []
    assert (again.name, len(opened)) == ("mine", 1)
    assert (again.name, len(opened)) == ("mine", 1)


def test_deferred_and_refreshed_values_are_decrypted() -> None:
    row = Vault.objects.create(name="mine")
    assert Vault.objects.defer("name").get(pk=row.pk).name == "mine"
    row.name = "changed in memory"
    row.refresh_from_db()
    assert row.name == "mine"


def test_an_edit_inside_a_json_value_is_saved() -> None:
    row = Vault.objects.create(bank={"iban": IBAN})
    again = Vault.objects.get(pk=row.pk)
    again.bank["bic"] = "X"
    again.save()
    assert Vault.objects.get(pk=row.pk).bank == {"iban": IBAN, "bic": "X"}


def test_bulk_create_encrypts_each_row() -> None:
    rows = Vault.objects.bulk_create([Vault(name=f"n{n}") for n in range(3)])
    assert [Vault.objects.get(pk=row.pk).name for row in rows] == ["n0", "n1", "n2"]


def test_ways_that_would_store_plaintext_or_search_are_refused() -> None:
    row = Vault.objects.create(name="mine")
    with pytest.raises(TypeError, match="encrypted per row"):
        Vault.objects.update(name="plain")
    with pytest.raises(FieldError, match="cannot be searched"):
        Vault.objects.filter(name="mine").exists()
    assert Vault.objects.filter(name__isnull=False).exists()
    row.name = 5
    with pytest.raises(TypeError, match="holds text"):
        row.save()
    with pytest.raises(TypeError, match="not exported"):
        Vault._meta.get_field("name").value_to_string(row)


def test_a_row_without_id_is_refused() -> None:
    with pytest.raises(ValueError, match="row id must be set"):
        Vault._meta.get_field("name").seal("mine", Vault(id=None))


def test_a_copy_under_a_new_id_is_refused_while_it_is_sealed() -> None:
    row = Vault.objects.get(pk=Vault.objects.create(name="mine").pk)
    row.pk, row._state.adding = uuid7(), True
    with pytest.raises(DecryptionFailed):
        row.save(force_insert=True)


def test_models_that_cannot_be_encrypted_are_found_by_the_checks() -> None:
    with isolate_apps("core"):

        class Numbered(models.Model):
            secret = EncryptedTextField(unique=True)

            class Meta:
                app_label = "core"

        assert {problem.id for problem in Numbered.check()} == {"core.E010", "core.E011"}
    assert Vault.check() == []


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["k1:" + base64.b64encode(b"x" * 16).decode()], "16 bytes, it must have 32"),
        (["k1:not base64!"], "not base64"),
        (["k1:é"], "not base64"),
        ([base64.b64encode(b"x" * 32).decode()], "not of the form"),
        ([key("a", 1), key("a", 2)], "used twice"),
    ],
)
def test_malformed_keys_are_refused_without_showing_them(texts: list[str], message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message) as caught:
        parse_keys(texts)
    assert all(text.partition(":")[2] not in str(caught.value) for text in texts if ":" in text)


def test_no_key_means_no_encryption() -> None:
    with pytest.raises(ImproperlyConfigured, match="empty"):
        EnvironmentKeys({}).current_id()
