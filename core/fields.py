"""Encrypted columns: AES-256-GCM, bound to the table, the column and the row they were written in.

A stolen dump shows nothing, and a ciphertext that somebody moves to another row or column does not
open. The key id is stored with each value, so that keys rotate without a stop (`rotate_field_keys`).
Renaming a table or column changes what the values are bound to: such a migration must re-encrypt.
"""

import json
import os
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core import checks
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from core.errors import DomainError
from core.keys import UnknownKey, provider

__all__ = ["DecryptionFailed", "EncryptedField", "EncryptedJSONField", "EncryptedTextField", "Sealed"]

_VERSION = 1
_NONCE_BYTES = 12  # NIST SP 800-38D: 96 random bits


class DecryptionFailed(DomainError):
    """The key is unknown, or the bytes are not what was written in this row and column."""

    code = "decryption_failed"
    status = 500
    message = "A stored value could not be decrypted. Nothing was changed."


class Sealed:
    """A ciphertext as it lies in the database: version, key id, nonce, ciphertext and tag."""

    __slots__ = ("blob",)

    def __init__(self, blob: bytes) -> None:
        self.blob = blob

    def __repr__(self) -> str:
        return "<Sealed>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and other.blob == self.blob

    def __hash__(self) -> int:
        return hash(self.blob)

    @property
    def key_id(self) -> str:
        """The id of the key it was written with. Raises DecryptionFailed on a malformed value."""
        return self._parts()[0]

    @classmethod
    def seal(cls, plaintext: bytes, *, place: tuple[str, str, str]) -> "Sealed":
        """Encrypt under the current key for one place (table, column, row id)."""
        keys = provider()
        key_id = keys.current_id()
        nonce = os.urandom(_NONCE_BYTES)
        body = AESGCM(keys.key(key_id)).encrypt(nonce, plaintext, _associated(key_id, place))
        name = key_id.encode()
        return cls(bytes([_VERSION, len(name)]) + name + nonce + body)

    def open(self, *, place: tuple[str, str, str]) -> bytes:
        """Decrypt for the place it was read from. Raises DecryptionFailed."""
        key_id, nonce, body = self._parts()
        try:
            return AESGCM(provider().key(key_id)).decrypt(nonce, body, _associated(key_id, place))
        except (InvalidTag, UnknownKey) as error:
            table, column, row = place
            raise DecryptionFailed(f"{table}.{column} of row {row} could not be decrypted.") from error

    def _parts(self) -> tuple[str, bytes, bytes]:
        blob = self.blob
        start = 2 + (blob[1] if len(blob) > 1 else 0)
        if len(blob) < start + _NONCE_BYTES + 16 or blob[0] != _VERSION:
            raise DecryptionFailed
        key_id = blob[2:start].decode("ascii", errors="replace")
        return key_id, blob[start : start + _NONCE_BYTES], blob[start + _NONCE_BYTES :]


def _associated(key_id: str, place: tuple[str, str, str]) -> bytes:
    # A JSON list keeps the parts apart: ("ab", "c") and ("a", "bc") must not look the same.
    return json.dumps([_VERSION, key_id, *place]).encode()


class _Opener(DeferredAttribute):
    """Decrypts when the attribute is read, so that lists which do not show it never pay for it."""

    field: "EncryptedField"

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed):
            value = self.field.unseal(value, instance)
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        # Without a setter the raw value in __dict__ would win over __get__.
        instance.__dict__[self.field.attname] = value


if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
else:
    _Field = models.Field


class EncryptedField(_Field):
    """What both encrypted fields share. Values are written by save() and bulk_create() only."""

    descriptor_class = _Opener
    empty_strings_allowed = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Leave out what is always the same."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        """Store bytes."""
        return "BinaryField"

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Refuse models whose row id is unknown before the first save, and searchable ciphertext."""
        problems = super().check(**kwargs)
        if self.model._meta.pk is not None and not self.model._meta.pk.has_default():
            problems.append(
                checks.Error(
                    "An encrypted field needs a primary key that is known before the row is saved.",
                    hint="Use a UUIDField with default=uuid7.",
                    obj=self,
                    id="core.E010",
                )
            )
        if self.unique or getattr(self, "db_index", False):
            problems.append(
                checks.Error("An encrypted field cannot be unique or indexed.", obj=self, id="core.E011")
            )
        return problems

    def place(self, instance: models.Model) -> tuple[str, str, str]:
        """Return what a value of this row is bound to. Raises ValueError for a row without an id."""
        if instance.pk is None:
            raise ValueError(f"{self.model._meta.label}.{self.name}: the row id must be set first")
        return self.model._meta.db_table, str(self.column), str(instance.pk)

    def seal(self, value: Any, instance: models.Model) -> Sealed:
        """Encrypt a value for a row."""
        return Sealed.seal(self.to_bytes(value), place=self.place(instance))

    def unseal(self, value: Sealed, instance: models.Model) -> Any:
        """Decrypt a value read from a row. Raises DecryptionFailed."""
        return self.to_value(value.open(place=self.place(instance)))

    def to_bytes(self, value: Any) -> bytes:
        """Turn the value into the bytes that are encrypted."""
        raise NotImplementedError

    def to_value(self, plaintext: bytes) -> Any:
        """Turn decrypted bytes into the value."""
        raise NotImplementedError

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:
        """Encrypt what was assigned; write back unread ciphertext as it is."""
        if self.attname not in model_instance.__dict__:
            model_instance.refresh_from_db(fields=[self.attname])  # It was deferred.
        value = model_instance.__dict__[self.attname]
        if value is None:
            return None
        if isinstance(value, Sealed):
            if add:
                self.unseal(value, model_instance)  # A copy under a new id would never open again.
            return value
        return self.seal(value, model_instance)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Hand bytes to the driver; anything that did not pass pre_save is refused."""
        if value is None:
            return None
        if not isinstance(value, Sealed):
            raise TypeError(f"{self.name} is encrypted per row: assign it and save the row")
        return connection.Database.Binary(value.blob)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed | None:
        """Wrap what was read; it is decrypted when somebody looks."""
        return None if value is None else Sealed(bytes(value))

    def get_lookup(self, lookup_name: str) -> Any:
        """Allow only the question whether there is a value."""
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted and cannot be searched")
        return super().get_lookup(lookup_name)

    def value_to_string(self, obj: models.Model) -> str:
        """Refuse to put decrypted data into fixtures and dumps."""
        raise TypeError(f"{self.name} is encrypted and is not exported")


class EncryptedTextField(EncryptedField):
    """A text that only this row of this installation can read."""

    def to_bytes(self, value: Any) -> bytes:
        """Encode a string; anything else is a programming error."""
        if not isinstance(value, str):
            raise TypeError(f"{self.name} holds text, not {type(value).__name__}")
        return value.encode()

    def to_value(self, plaintext: bytes) -> str:
        """Decode the string."""
        return plaintext.decode()


class EncryptedJSONField(EncryptedField):
    """A JSON value that only this row of this installation can read."""

    def to_bytes(self, value: Any) -> bytes:
        """Encode as compact JSON. Raises TypeError for what JSON cannot hold."""
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

    def to_value(self, plaintext: bytes) -> Any:
        """Decode the JSON value."""
        return json.loads(plaintext)
