"""Whom a fault strikes: the facts of a call that conditions may name."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from sandbox.database import place_of
from sandbox.psp.call import Call
from sandbox.psp.cards import find_card


class Scene:
    """What a fault may be matched by; looked up only when a fault asks."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._intent: dict[str, Any] | None = None

    @property
    def intent(self) -> dict[str, Any]:
        """The PaymentIntent concerned, empty when there is none."""
        if self._intent is None:
            self._intent = {}
            identifier = self._call.target or self._call.params.values.get("payment_intent")
            if isinstance(identifier, str) and identifier.startswith("pi_"):
                row = self._call.database.one(
                    "SELECT body FROM object WHERE seq = ? AND id = ? AND account = ?",
                    (place_of(identifier), identifier, self._call.account),
                )
                self._intent = {} if row is None else json.loads(row["body"])
        return self._intent

    def value(self, name: str) -> Any:
        """Amount, currency and the like: from the request, else from the PaymentIntent."""
        given = self._call.params.values.get(name)
        return given if given is not None else self.intent.get(name)

    @property
    def metadata(self) -> dict[str, Any]:
        """Metadata of the PaymentIntent under that of the request."""
        given = self._call.params.values.get("metadata")
        return {**self.intent.get("metadata", {}), **(given if isinstance(given, dict) else {})}

    @property
    def token(self) -> str | None:
        """The plain name of the test card concerned."""
        reference = self.value("payment_method")
        if not isinstance(reference, str):
            return None
        found = find_card(reference)
        if found is not None:
            return found[0]
        row = self._call.database.one(
            "SELECT hidden FROM object WHERE seq = ? AND id = ? AND account = ?",
            (place_of(reference), reference, self._call.account),
        )
        return None if row is None else json.loads(row["hidden"]).get("card")


def matches(match: dict[str, Any], call: Call, scene: Scene) -> bool:
    """Whether every condition of a fault holds for this call."""
    if not fnmatchcase(call.operation, match.get("operation", "*")):
        return False
    if "account" in match and match["account"] != call.account:
        return False
    if "idempotency_key" in match and match["idempotency_key"] != call.key:
        return False
    for name in ("amount", "currency"):
        if name in match and str(match[name]).lower() != str(scene.value(name)).lower():
            return False
    if "metadata" in match and any(
        scene.metadata.get(key) != value for key, value in match["metadata"].items()
    ):
        return False
    if "token" in match:
        wanted = find_card(match["token"])
        return wanted is not None and scene.token == wanted[0]
    return True
