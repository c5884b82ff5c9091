"""A vendor of risk assessments beside the provider: slow, asked over JSON, and sometimes out of order.

``POST /_vendor/v1/assessments`` takes the facts of a checkout and answers 202 at once; the decision is there
a moment of sandbox time later and is fetched with ``GET``. What it decides is said by magic in the e-mail
address or the amount, by the defaults, or by the control API.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from typing import Any
from urllib.parse import parse_qsl

from sandbox.clock import Clock
from sandbox.database import Database, dump, random_digits
from sandbox.faults import Fault, FaultError, Faults
from sandbox.pages import places_of
from sandbox.psp import answers
from sandbox.psp.api import Api
from sandbox.psp.call import Call
from sandbox.psp.currencies import CURRENCIES
from sandbox.psp.numbers import brand_of, passes_luhn
from sandbox.server import Request, Response

Body = dict[str, Any]

ROOT = "/_vendor/v1/assessments"
DECISIONS = ("approved", "declined", "review")
SECONDS, SLOW_SECONDS = 2.0, 60.0

#: Score from 0 to 100 and reasons of each decision.
SCORES: dict[str, tuple[int, list[str]]] = {
    "approved": (12, ["email_known", "address_consistent"]),
    "review": (58, ["email_new", "amount_unusual"]),
    "declined": (93, ["email_on_list", "velocity_high"]),
}

#: Amounts in minor units that decide; ``pending`` never ends by itself.
AMOUNTS = {980_010: "declined", 980_020: "review", 980_030: "pending", 980_040: "slow"}

#: A tag behind ``+`` in the address's first part decides, as in ``ann+declined@example.com``.
TAG = re.compile(r"\+(approved|declined|review|pending|slow)@")

AMOUNT = re.compile(r"^(\d{1,15})(?:\.(\d{1,3}))?$")


class VendorError(Exception):
    """A refused request: status, code and sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def account_of(key: str) -> str | None:
    """The account of a bearer key: every ``vk_test_…`` has one of its own."""
    if not key.startswith("vk_test_") or len(key) == len("vk_test_"):
        return None
    return f"acct_{hashlib.sha256(key.encode()).hexdigest()[:16]}"


class Vendor:
    """Takes requests for assessments and decides them."""

    def __init__(self, database: Database, clock: Clock, faults: Faults, api: Api) -> None:
        self._database, self._clock, self._faults, self._api = database, clock, faults, api
        self._guard = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Approve after two seconds again."""
        self.seconds, self.outcome = SECONDS, "approved"

    def configure(self, *, seconds: float | None = None, outcome: str | None = None) -> Body:
        """Change how long an assessment takes and what it says when no magic decides."""
        if outcome is not None and outcome not in (*DECISIONS, "pending"):
            raise ValueError(f"outcome must be one of {', '.join((*DECISIONS, 'pending'))}")
        with self._guard:
            self.seconds = self.seconds if seconds is None else float(seconds)
            self.outcome = outcome or self.outcome
        return {"seconds": self.seconds, "outcome": self.outcome}

    def handle(self, request: Request) -> Response:
        """Answer one request of the vendor's API."""
        try:
            account = self._authenticate(request)
            call, create = self._open(request, account)
            faults = self._faults.pick(call, request.headers.get("x-sandbox-fault"))
        except (VendorError, FaultError) as error:
            return refusal(error)
        spoiled = answers.spoiled(faults)
        for fault in faults:
            if fault.kind == "slow":
                self._api.stopping.wait(fault.seconds(2.0))
        if spoiled is not None and not spoiled.effect:
            self._api.log(call, status=None, faults=faults)
            return broken(Response(200, b"{}"), spoiled)
        try:
            response = self._create(call) if create else self._retrieve(call)
        except VendorError as error:
            response = refusal(error)
        self._api.log(call, status=response.status, faults=faults)
        return response if spoiled is None else broken(response, spoiled)

    def _authenticate(self, request: Request) -> str:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        account = account_of(key.strip()) if scheme.lower() == "bearer" else None
        if account is None:
            raise VendorError(401, "unauthorized", "Send Authorization: Bearer vk_test_…")
        return account

    def _open(self, request: Request, account: str) -> tuple[Call, bool]:
        """The request as a call that faults can be armed for, and whether it asks for a new assessment."""
        target = request.path.removeprefix(ROOT).strip("/")
        if (request.method, bool(target)) == ("POST", False):
            name, values = "vendor.assessments.create", _json(request)
        elif request.method == "GET" and target:
            name, values = "vendor.assessments.retrieve", {}
        elif request.method == "GET" and "reference" in (query := dict(parse_qsl(request.query))):
            name, values = "vendor.assessments.retrieve", {"reference": query["reference"]}
        else:
            raise VendorError(404, "not_found", f"There is no {request.method} {request.path}.")
        call = self._api.inner_call(account, name, target, values)
        call.method, call.path = request.method, request.path
        return call, name.endswith("create")

    def _create(self, call: Call) -> Response:
        values = call.params.values
        reference, amount, email = _facts(values)
        fingerprint = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
        with self._database.transaction():
            row = self._row("account = ? AND reference = ?", call.account, reference)
            if row is not None and row["fingerprint"] != fingerprint:
                raise VendorError(409, "reference_reused", "This reference was used for other facts.")
            if row is None:
                row = self._insert(call, reference, fingerprint, amount, email)
        return Response(202, dump(self._shown(row)).encode())

    def _insert(self, call: Call, reference: str, fingerprint: str, amount: int, email: str) -> Body:
        tag = TAG.search(email)
        wish = tag[1] if tag else AMOUNTS.get(amount, self.outcome)
        seconds = SLOW_SECONDS if wish == "slow" else self.seconds
        status = self.outcome if wish == "slow" else wish
        score, reasons = SCORES.get(status, (0, []))
        row: Body = {
            "id": f"asm_{random_digits(96)}", "account": call.account, "reference": reference,
            "fingerprint": fingerprint, "created": call.clock,
            "due": None if status == "pending" else call.clock + seconds,
            "status": status, "score": score, "reasons": dump(reasons),
        }  # fmt: skip
        self._database.execute(
            f"INSERT INTO assessment ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608 - ours
            tuple(row.values()),
        )
        return row

    def _retrieve(self, call: Call) -> Response:
        reference = call.params.values.get("reference")
        if reference is not None:
            row = self._row("account = ? AND reference = ?", call.account, reference)
        else:
            row = self._row("account = ? AND id = ?", call.account, call.target)
        if row is None:
            raise VendorError(404, "not_found", "There is no such assessment.")
        return Response(200, dump(self._shown(row)).encode())

    def decide(self, identifier: str, *, status: str, score: int | None, reasons: list[str] | None) -> Body:
        """Decide one assessment now, whatever it would have said; unknown ids and words: ValueError."""
        if status not in DECISIONS:
            raise ValueError(f"status must be one of {', '.join(DECISIONS)}")
        usual = SCORES[status]
        self._database.execute(
            "UPDATE assessment SET status = ?, score = ?, reasons = ?, due = ? WHERE id = ? OR reference = ?",
            (
                status, usual[0] if score is None else int(score),
                dump(usual[1] if reasons is None else list(reasons)), self._clock.now(), identifier,
                identifier,
            ),
        )  # fmt: skip
        row = self._row("id = ?1 OR reference = ?1", identifier)
        if row is None:
            raise ValueError(f"no assessment {identifier}")
        return self._shown(row)

    def all(self) -> list[Body]:
        """Every assessment with its account, oldest first."""
        rows = self._database.rows("SELECT * FROM assessment ORDER BY created, id")
        return [{"account": row["account"], **self._shown(row)} for row in rows]

    def _row(self, where: str, *values: str) -> Body | None:
        return self._database.one(f"SELECT * FROM assessment WHERE {where}", values)  # noqa: S608 - ours

    def _shown(self, row: Body) -> Body:
        decided = row["due"] is not None and row["due"] <= self._clock.now()
        shown: Body = {
            "id": row["id"],
            "reference": row["reference"],
            "status": row["status"] if decided else "pending",
            "score": row["score"] if decided else None,
            "reasons": json.loads(row["reasons"]) if decided else [],
            "created": int(row["created"]),
            "decided": int(row["due"]) if decided else None,
        }
        return shown


def _json(request: Request) -> Body:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise VendorError(415, "not_json", "The body must be application/json.")
    try:
        values = json.loads(request.body)
    except (UnicodeDecodeError, ValueError):
        raise VendorError(400, "not_json", "The body is no JSON.") from None
    if not isinstance(values, dict):
        raise VendorError(400, "not_json", "The body must be a JSON object.")
    if _has_number(values):
        raise VendorError(400, "card_number", "Card numbers may not be sent to this API.")
    return values


def _has_number(values: Any) -> bool:
    """Whether a text anywhere below is nothing but the digits of a card number."""
    if isinstance(values, dict):
        return any(_has_number(value) for value in values.values())
    if isinstance(values, list):
        return any(_has_number(value) for value in values)
    digits = re.sub(r"[ -]", "", values) if isinstance(values, str) else ""
    looks = re.fullmatch(r"[0-9]{13,19}", digits) is not None and brand_of(digits) is not None
    return looks and passes_luhn(digits)


def _facts(values: Body) -> tuple[str, int, str]:
    """Reference, amount in minor units and e-mail address; other facts are taken as they come."""
    reference, email = values.get("reference"), values.get("email") or ""
    if not isinstance(reference, str) or not 1 <= len(reference) <= 200:
        raise VendorError(400, "reference_invalid", "reference is a text of 1 to 200 characters.")
    if not isinstance(email, str):
        raise VendorError(400, "email_invalid", "email is a text.")
    currency = str(values.get("currency", "")).lower()
    if currency not in CURRENCIES:
        raise VendorError(400, "currency_invalid", "currency is a code of ISO 4217.")
    return reference, _amount(values.get("amount"), currency), email


def _amount(value: Any, currency: str) -> int:
    """Minor units from a whole number of them, or from a decimal text such as ``"10.00"``."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = AMOUNT.match(value) if isinstance(value, str) else None
    places = places_of(currency)
    if match is None or len(match[2] or "") > places:
        raise VendorError(400, "amount_invalid", "amount is minor units, or a decimal text of the currency.")
    return int(match[1] + (match[2] or "").ljust(places, "0"))


def refusal(error: VendorError | FaultError) -> Response:
    """A refusal as the vendor writes it."""
    status, code = (error.status, error.code) if isinstance(error, VendorError) else (400, "fault_unknown")
    return Response(status, dump({"error": {"code": code, "message": str(error)}}).encode())


def broken(response: Response, fault: Fault) -> Response:
    """What a fault makes of an answer."""
    if fault.kind in answers.EXECUTED:
        return Response(500, dump({"error": {"code": "internal", "message": "Something broke."}}).encode())
    return answers.spoil(response, fault)
