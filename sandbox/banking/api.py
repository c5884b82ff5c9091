"""``/bank/…``: keys, faults, execution in one transaction, answers, the request log."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

from sandbox.banking import batches, callbacks, files, magic, payees, payments, reports, statements
from sandbox.banking.amounts import minor
from sandbox.banking.errors import BankError, refusal, reply
from sandbox.database import Database
from sandbox.faults import Fault, FaultError, Faults
from sandbox.psp import answers
from sandbox.psp.api import Api
from sandbox.psp.call import Call
from sandbox.server import Request, Response
from sandbox.webhooks import Webhooks

Operation = Callable[[Call], Response]

REF = "(?P<target>[A-Za-z0-9_.:-]{1,64})"
ROUTES: list[tuple[str, re.Pattern[str], str, Operation]] = [
    (method, re.compile(path), name, operation)
    for method, path, name, operation in (
        ("PUT", f"/bank/v1/payees/{REF}", "bank.payees.put", payees.put),
        ("GET", f"/bank/v1/payees/{REF}", "bank.payees.retrieve", payees.retrieve),
        ("POST", "/bank/v1/batches", "bank.batches.create", batches.create),
        ("GET", f"/bank/v1/batches/{REF}", "bank.batches.retrieve", batches.retrieve),
        ("GET", f"/bank/v1/payments/{REF}", "bank.payments.retrieve", payments.retrieve),
        ("GET", "/bank/v1/payments", "bank.payments.list", payments.list_changed),
        ("POST", "/bank/v1/callbacks", "bank.callbacks.create", callbacks.create),
        ("PUT", "/bank/files/(?P<target>[A-Za-z0-9._-]{1,120})", "bank.files.put", files.put),
        ("GET", "/bank/files/(?P<target>[A-Za-z0-9._-]{1,120})", "bank.files.retrieve", files.retrieve),
        ("GET", "/bank/reports", "bank.reports.list", reports.list_after),
        ("GET", f"/bank/statements/{REF}", "bank.statements.retrieve", statements.retrieve),
    )
]


def account_of(key: str) -> str | None:
    """The account of a bearer key: every ``bk_test_…`` has one of its own."""
    if not key.startswith("bk_test_") or len(key) == len("bk_test_"):
        return None
    return f"bank_{hashlib.sha256(key.encode()).hexdigest()[:16]}"


class BankApi:
    """Answers the bank's customers."""

    def __init__(self, *, database: Database, faults: Faults, webhooks: Webhooks, api: Api) -> None:
        self._database, self._faults, self._webhooks, self._api = database, faults, webhooks, api

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        try:
            call, operation = self._open(request)
            faults = self._faults.pick(call, request.headers.get("x-sandbox-fault"))
        except BankError as error:
            return refusal(error)
        except FaultError as error:
            return refusal(BankError(400, "fault_unknown", str(error)))
        if not faults:
            faults = self._magic(call)
        spoiled = answers.spoiled(faults)
        for fault in faults:
            if fault.kind == "slow":
                self._api.stopping.wait(fault.seconds(2.0))
        if spoiled is not None and not spoiled.effect:
            self._log(call, None, faults)
            return _broken(reply(200, {}), spoiled)
        response = self._execute(call, operation, faults)
        return response if spoiled is None else _broken(response, spoiled)

    def _open(self, request: Request) -> tuple[Call, Operation]:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        account = account_of(key.strip()) if scheme.lower() == "bearer" else None
        if account is None:
            raise BankError(401, "unauthorized", "Send Authorization: Bearer bk_test_…")
        path = unquote(request.path)
        for method, pattern, name, operation in ROUTES:
            match = pattern.fullmatch(path)
            if match is not None and method == request.method:
                target = match.groupdict().get("target", "")
                call = self._api.inner_call(account, name, target, _values(request, name))
                call.method, call.path, call.key = request.method, request.path, target or None
                return call, operation
        raise BankError(404, "not_found", f"There is no {request.method} {request.path}.")

    def _magic(self, call: Call) -> list[Fault]:
        """The fault that a payment's amount asks for: once for each batch."""
        if call.operation != "bank.batches.create":
            return []
        items = call.params.values.get("payments")
        for item in items if isinstance(items, list) else []:
            if not isinstance(item, dict):
                continue
            amount = minor(str(item.get("amount")), str(item.get("currency")))
            kind = magic.ANSWERS.get(-1 if amount is None else amount)
            if kind and self._faults.once((call.account, f"batch {call.params.values.get('batch_ref')}")):
                before = kind == "connection_reset_before"
                kind = "connection_reset_after_body" if before else kind
                return [Fault("magic", kind, options={"effect": False} if before else {})]
        return []

    def _execute(self, call: Call, operation: Operation, faults: list[Fault]) -> Response:
        """Carry the request out: what it changes, its events and its log commit together."""
        pushes: list[tuple[int, float, int]] = []
        try:
            with self._database.transaction():
                response = operation(call)
                if call.operation == "bank.callbacks.create":
                    self._webhooks.forget_endpoints()
                if call.events:
                    pushes = self._webhooks.publish(call, [*faults, *call.asked])
                self._log(call, response.status, faults)
        except BankError as error:
            self._log(call, error.status, faults)
            return refusal(error)
        self._api.send(pushes, faults)
        return response

    def _log(self, call: Call, status: int | None, faults: list[Fault]) -> None:
        if call.operation == "bank.files.put":
            call.params.values = {"bytes": len(call.params.values["content"])}
        self._api.log(call, status=status, faults=faults)


def _values(request: Request, name: str) -> dict[str, Any]:
    """The parameters: of the query, the JSON of the body, or the bytes of a file."""
    if request.method == "GET":
        return dict(parse_qsl(request.query))
    if name == "bank.files.put":
        return {"content": request.body}
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise BankError(415, "not_json", "The body must be application/json.")
    try:
        values = json.loads(request.body)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise BankError(400, "not_json", "The body is no JSON.") from None
    if not isinstance(values, dict):
        raise BankError(400, "not_json", "The body must be a JSON object.")
    return values


def _broken(response: Response, fault: Fault) -> Response:
    """What a fault makes of an answer."""
    if fault.kind in answers.EXECUTED:
        return refusal(BankError(500, "internal", "Something broke."))
    return answers.spoil(response, fault)
