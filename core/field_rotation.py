"""Re-encrypt what older keys wrote, in batches, so that an old key can be taken out of service."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models

from core.fields import DecryptionFailed, EncryptedField, Sealed
from core.keys import provider
from core.locks import lock_rows_after
from core.transactions import at_edge

__all__ = ["Rotated", "encrypted_models", "rotate_model"]


@dataclass
class Rotated:
    """What a pass over one table did: rows changed (or to be changed), and values that did not open."""

    table: str
    changed: int = 0
    failed: list[str] = field(default_factory=list)


def encrypted_models() -> Iterator[type[models.Model]]:
    """Yield every model with encrypted fields."""
    for model in apps.get_models():
        if _fields(model):
            yield model


def rotate_model(*, model: type[models.Model], batch: int = 500, dry_run: bool = False) -> Rotated:
    """Bring every value of one table under the current key; each batch commits alone.

    A value that does not open is left as it is and named in `failed`. Safe to stop and start again.
    """
    report = Rotated(table=model._meta.db_table)
    after: Any | None = None
    while True:
        after = at_edge(_rotate_batch)(model, after, batch, dry_run, report)
        if after is None:
            return report


def _rotate_batch(
    model: type[models.Model], after: Any | None, batch: int, dry_run: bool, report: Rotated
) -> Any | None:
    rows = lock_rows_after(model=model, after=after, limit=batch)
    # Counted in a report of this batch alone: the edge may run it twice.
    part = Rotated(table=report.table)
    for row in rows:
        fresh = {each.attname: sealed for each in _fields(model) if (sealed := _fresh(row, each, part))}
        part.changed += bool(fresh)
        if fresh and not dry_run:
            model._base_manager.filter(pk=row.pk).update(**fresh)
    report.changed += part.changed
    report.failed += part.failed
    return rows[-1].pk if len(rows) == batch else None


def _fresh(row: models.Model, each: EncryptedField, report: Rotated) -> Sealed | None:
    value = row.__dict__.get(each.attname)
    if not isinstance(value, Sealed):
        return None
    try:
        if value.key_id == provider().current_id():
            return None
        return each.seal(each.unseal(value, row), row)
    except DecryptionFailed as error:
        report.failed.append(error.message)
        return None


def _fields(model: type[models.Model]) -> list[EncryptedField]:
    return [each for each in model._meta.concrete_fields if isinstance(each, EncryptedField)]
