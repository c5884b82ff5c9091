"""Faults on demand: which call misbehaves, how, how often. Deterministic by seed.

A fault is armed by the control API, or by magic in the request itself: the header ``X-Sandbox-Fault``, the
metadata key ``sandbox_fault`` (both ``kind`` or ``kind:seconds``), an amount of ``AMOUNTS`` or a card of this
sandbox. Magic in metadata, amount or card strikes once per payment, on its confirmation.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sandbox.psp.call import Call
from sandbox.psp.cards import find_card
from sandbox.scene import Scene, matches

#: Kind of fault to its group; one call suffers at most one fault of a group.
KINDS = {
    "charged_but_timeout": "answer",
    "not_charged_timeout": "answer",
    "connection_reset_after_body": "answer",
    "http_500": "answer",
    "http_502": "answer",
    "http_503": "answer",
    "http_429": "answer",
    "http_409": "answer",
    "empty_500": "answer",
    "broken_json": "answer",
    "truncated_json": "answer",
    "wrong_content_type": "answer",
    "slow_drip": "answer",
    "slow": "delay",
    "partial_approval": "approval",
    "webhook_duplicate": "webhook_duplicate",
    "webhook_late": "webhook_late",
    "webhook_hold": "webhook_late",
    "webhook_out_of_order": "webhook_out_of_order",
    "webhook_drop": "webhook_drop",
    "webhook_forge": "webhook_forge",
    "webhook_before_response": "webhook_before_response",
}

OPTIONS = frozenset(
    {"effect", "seconds", "retry_after", "short_by", "amount", "currency", "copies", "new_ids", "parallel",
     "forgery", "instead", "event_type", "key_in_use"}
)  # fmt: skip

FORGERIES = frozenset(
    {
        "bad_secret",
        "altered_body",
        "old_timestamp",
        "future_timestamp",
        "no_signature",
        "not_json",
        "livemode",
        "unknown_type",
        "wrong_amount",
    }
)

#: Amounts in minor units that arm a fault on confirmation, once per payment.
AMOUNTS = {
    990_010: "charged_but_timeout",
    990_020: "not_charged_timeout",
    990_030: "connection_reset_after_body",
    990_040: "http_500",
    990_050: "broken_json",
    990_060: "webhook_duplicate",
    990_070: "webhook_drop",
    990_080: "partial_approval",
    990_090: "webhook_before_response",
}

#: Operations that ask the bank for money, besides a creation with ``confirm``.
CONFIRMATIONS = ("payment_intents.confirm", "checkout.pay")

#: Faults that leave the caller without a word, and for how long unless told otherwise.
HANGING = frozenset({"charged_but_timeout", "not_charged_timeout"})
HANG_SECONDS = 90.0

#: Faults that change nothing at the provider unless told otherwise by ``effect``.
WITHOUT_EFFECT = frozenset({"not_charged_timeout", "http_500", "http_502", "http_503", "empty_500"})
NEVER_EFFECT = frozenset({"not_charged_timeout", "http_429", "http_409"})


class FaultError(ValueError):
    """The description of a fault is wrong."""


@dataclass(slots=True)
class Fault:
    """One armed fault: what it does, whom it strikes and how often."""

    id: str
    kind: str
    match: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seed: str = "0"
    seen: int = 0
    hits: int = 0
    draws: Counter[str] = field(default_factory=Counter)

    @property
    def effect(self) -> bool:
        """Whether the operation is really carried out before the answer goes wrong."""
        if self.kind in NEVER_EFFECT:
            return False
        return bool(self.options.get("effect", self.kind not in WITHOUT_EFFECT))

    def seconds(self, default: float) -> float:
        """The fault's duration in seconds."""
        return float(self.options.get("seconds", default))

    def describe(self) -> dict[str, Any]:
        """The fault as the control API shows it."""
        return {
            "id": self.id, "kind": self.kind, "match": self.match, "options": self.options,
            "times": self.times, "skip": self.skip, "probability": self.probability, "seed": self.seed,
            "seen": self.seen, "hits": self.hits,
        }  # fmt: skip

    def strikes(self, name: str) -> bool:
        """Count a match and decide: skipped first, then by times, then by a draw from the seed.

        The draw depends on the seed, the call's name and how often that name came, never on thread timing.
        """
        self.seen += 1
        if self.seen <= self.skip or (self.times is not None and self.hits >= self.times):
            return False
        if self.probability < 1.0:
            self.draws[name] += 1
            digest = hashlib.sha256(f"{self.seed}:{name}:{self.draws[name]}".encode()).digest()
            if int.from_bytes(digest[:8], "big") / 2**64 >= self.probability:
                return False
        self.hits += 1
        return True


class Faults:
    """The faults armed now. They live in memory: a restart of the sandbox disarms them."""

    def __init__(self, *, hang_seconds: float = HANG_SECONDS) -> None:
        self._hang_seconds = hang_seconds
        self._armed: list[Fault] = []
        self._guard = threading.Lock()
        self._serial = 0
        self._marked: dict[str, str] = {}
        self._struck: set[tuple[str, str]] = set()

    def arm(self, spec: dict[str, Any]) -> Fault:
        """Arm a fault from its JSON description; raises FaultError when the description is wrong."""
        spec = dict(spec)
        kind = spec.pop("kind", None)
        if kind not in KINDS:
            raise FaultError(f"kind must be one of {', '.join(KINDS)}")
        match: dict[str, Any] = {
            name: spec.pop(name)
            for name in ("operation", "account", "metadata", "amount", "currency", "token", "idempotency_key")
            if name in spec and not (name in ("amount", "currency") and kind == "partial_approval")
        }
        limits = {name: spec.pop(name) for name in ("times", "skip", "probability", "seed") if name in spec}
        unknown = set(spec) - OPTIONS
        if unknown:
            raise FaultError(f"unknown field {sorted(unknown)[0]}")
        if spec.get("forgery", "bad_secret") not in FORGERIES:
            raise FaultError(f"forgery must be one of {', '.join(sorted(FORGERIES))}")
        if "probability" in limits and "times" not in limits:
            limits["times"] = None
        limits["seed"] = str(limits.get("seed", "0"))
        with self._guard:
            self._serial += 1
            fault = Fault(f"flt_{self._serial}", kind, match, spec, **limits)
            self._armed.append(fault)
        return fault

    def disarm(self, identifier: str | None = None) -> int:
        """Disarm one fault, or all; returns how many were armed."""
        with self._guard:
            before = len(self._armed)
            self._armed = [fault for fault in self._armed if identifier not in (None, fault.id)]
            if identifier is None:
                self._struck.clear()
                self._marked.clear()
            return before - len(self._armed)

    def describe(self) -> list[dict[str, Any]]:
        """Every armed fault with its counts."""
        with self._guard:
            return [fault.describe() for fault in self._armed]

    def pick(self, call: Call, header: str | None) -> list[Fault]:
        """The faults that strike this call: at most one of each group."""
        confirms = call.operation in CONFIRMATIONS or "confirm" in call.params.values
        if not self._armed and header is None and not confirms:
            return []
        scene = Scene(call)  # looks nothing up until a fault asks
        picked: dict[str, Fault] = {}
        if header is not None:
            fault = from_text(header)
            picked[KINDS[fault.kind]] = fault
        with self._guard:
            armed = list(self._armed)
        name = call.key or call.operation
        # What happens without a caller is struck only in its webhooks, by a fault that names it.
        inside = call.method == "INTERNAL" and not confirms
        for fault in armed:
            group = KINDS[fault.kind]
            if group in picked or (group.startswith("webhook") and call.method == "GET"):
                continue
            if inside and not (group.startswith("webhook") and "operation" in fault.match):
                continue
            if matches(fault.match, call, scene):
                with self._guard:
                    if fault.strikes(name):
                        picked[group] = fault
        if confirms:
            magic = self._magic(call)
            if magic is not None:
                picked.setdefault(KINDS[magic.kind], magic)
        for fault in picked.values():
            if fault.kind in HANGING:
                fault.options.setdefault("seconds", self._hang_seconds)
        return list(picked.values())

    def note(self, call: Call, answer: dict[str, Any]) -> None:
        """Remember an object whose creation asked for a fault by magic, so that its confirmation finds it."""
        text = self._asked(call)
        if text is not None and answer.get("object") in ("payment_intent", "payment_method"):
            with self._guard:
                self._marked[answer["id"]] = text

    def _asked(self, call: Call) -> str | None:
        values = call.params.values
        metadata, card = values.get("metadata"), values.get("card")
        text = metadata.get("sandbox_fault") if isinstance(metadata, dict) else None
        if text is None:
            amount = values.get("amount")
            text = AMOUNTS.get(int(amount)) if isinstance(amount, str) and amount.isdigit() else None
        token = values.get("payment_method") or (card.get("token") if isinstance(card, dict) else None)
        if text is None and isinstance(token, str):
            found = find_card(token)
            text = self._marked.get(token) if found is None else found[1].fault
        return text

    def once(self, mark: tuple[str, str]) -> bool:
        """Whether magic has not struck this account and name before; from now on it has."""
        with self._guard:
            fresh = mark not in self._struck
            self._struck.add(mark)
            return fresh

    def _magic(self, call: Call) -> Fault | None:
        mark = (call.account, call.target or call.key or call.request_id)
        with self._guard:
            text = self._marked.get(call.target) or self._asked(call)
            if text is None or mark in self._struck:
                return None
            self._struck.add(mark)
        return from_text(text)


def from_text(text: str) -> Fault:
    """A fault from ``kind`` or ``kind:seconds``; raises FaultError for an unknown kind."""
    kind, _, seconds = text.partition(":")
    if kind not in KINDS:
        raise FaultError(f"unknown fault {kind}")
    return Fault("magic", kind, options={"seconds": float(seconds)} if seconds else {})
