"""Idempotency keys: per account, kept 24 hours of sandbox time, parameters compared, answers replayed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from sandbox.database import Database
from sandbox.psp.call import Call
from sandbox.psp.errors import ApiError

_SORTED = json.JSONEncoder(sort_keys=True)

KEPT_SECONDS = 24 * 3600
MAX_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Kept:
    """The first answer under a key."""

    status: int
    body: bytes
    request_id: str


class KeptKeys:
    """Knows which keys are running now (in memory) and which are answered (in the file)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._running: set[tuple[str, str]] = set()
        self._answered: set[tuple[str, str]] = set()
        self.reload()

    def reload(self) -> None:
        """Read which keys are answered, so that a new key costs no query."""
        rows = self._database.rows("SELECT account, key FROM kept_key")
        self._answered = {(row["account"], row["key"]) for row in rows}

    def claim(self, call: Call) -> Kept | None:
        """Take the key for this call, or return the first answer; refuses misuse. Must be ``release``d."""
        if call.key is None:
            return None
        if not 1 <= len(call.key) <= MAX_LENGTH:
            raise ApiError(400, "invalid_request_error", "Idempotency keys have 1 to 255 characters.")
        name = (call.account, call.key)
        with self._database.lock:
            if name in self._running:
                raise ApiError(
                    409,
                    "idempotency_error",
                    f"Another request with the idempotency key {call.key} is still running. Try again later.",
                    code="idempotency_key_in_use",
                )
            row = None
            if name in self._answered:
                row = self._database.one("SELECT * FROM kept_key WHERE account = ? AND key = ?", name)
            if row is not None and row["created"] + KEPT_SECONDS <= call.clock:
                self._database.execute("DELETE FROM kept_key WHERE account = ? AND key = ?", name)
                row = None
            if row is None:
                self._running.add(name)
                return None
        if row["fingerprint"] != fingerprint(call):
            raise ApiError(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the parameters and the URL they were"
                f" first used with. Use another key than {call.key} for another request.",
            )
        return Kept(row["status"], row["body"], row["request_id"])

    def release(self, call: Call) -> None:
        """The call is over: its key is running no more."""
        if call.key is not None:
            with self._database.lock:
                self._running.discard((call.account, call.key))

    def keep(self, call: Call, status: int, body: bytes) -> None:
        """Keep the answer, in the call's own transaction."""
        if call.key is not None:
            self._answered.add((call.account, call.key))
            self._database.execute(
                "INSERT INTO kept_key (account, key, fingerprint, created, status, body, request_id)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (call.account, call.key, fingerprint(call), call.clock, status, body, call.request_id),
            )


def fingerprint(call: Call) -> str:
    """What must be equal for two requests to be the same: method, path and parameters."""
    text = f"{call.method} {call.path} {_SORTED.encode(call.params.values)}"
    return hashlib.sha256(text.encode()).hexdigest()
