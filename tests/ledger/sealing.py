"""Seal what was posted, export it, and have it verified by the stand-alone script."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

from django.conf import settings

from ledger.export import rows as export_rows
from ledger.services import advance_checkpoints, advance_fence, seal_entries
from tests.ledger.books import rows
from tests.waiting import eventually

__all__ = ["SCRIPT", "blocks", "export", "findings", "seal_all", "verifier"]

SCRIPT = Path(settings.BASE_DIR) / "ops" / "verify_books.py"


def _load() -> ModuleType:
    """From its file, as a stranger has it: it is no module of the product."""
    spec = importlib.util.spec_from_file_location("verify_books", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


verifier = _load()


def seal_all() -> int:
    """Let the fence pass everything, fold it and seal it; return how many entries were sealed."""
    ((last,),) = rows("SELECT coalesce(max(id), 0) FROM ledger_journalentry")
    eventually(lambda: advance_fence() >= last, what="the fence passes everything")
    advance_checkpoints()
    return seal_entries()


def blocks() -> list[tuple[Any, ...]]:
    """Number, first entry, last entry, entries, lines, previous hash and hash of every block."""
    return rows(
        "SELECT number, first_entry, last_entry, entry_count, line_count, encode(previous, 'hex'),"
        " encode(hash, 'hex') FROM ledger_seal ORDER BY number"
    )


def export() -> list[dict[str, Any]]:
    """The export as the rows of the file, through JSON."""
    return [json.loads(json.dumps(row)) for row in export_rows()]


def findings(exported: list[dict[str, Any]], roots: list[dict[str, Any]] | None = None) -> list[str]:
    """What the verifier finds."""
    found: list[str] = verifier.verify([json.dumps(row) for row in exported], roots or []).findings
    return found
