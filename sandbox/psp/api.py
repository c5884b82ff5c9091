"""The provider's API: authentication, version, idempotency, faults, execution, answer, request log."""

from __future__ import annotations

import base64
import binascii
import hashlib
import threading
from typing import Any

from sandbox.clock import Clock
from sandbox.database import Database, dump, random_digits
from sandbox.faults import Fault, FaultError, Faults
from sandbox.forms import FormError, decode_form
from sandbox.psp import answers
from sandbox.psp.accounts import owner_of
from sandbox.psp.call import Call, Object
from sandbox.psp.errors import ApiError, invalid
from sandbox.psp.files import MultipartError, decode_multipart
from sandbox.psp.idempotency import KeptKeys
from sandbox.psp.lists import expand
from sandbox.psp.params import Params
from sandbox.psp.router import Operation, route
from sandbox.server import Request, Response
from sandbox.webhooks import Webhooks

WEBHOOK_WAIT = 15.0


def new_request_id() -> str:
    """An id for one request."""
    return f"req_{random_digits(96)}"


def _parameters(request: Request, operation: str) -> dict[str, Any]:
    """The parameters of a request: of its query, of a form, and of a multipart form where files come."""
    kind = request.headers.get("content-type", "")
    try:
        if operation == "files.create" and kind.startswith("multipart/form-data"):
            return decode_multipart(request.body, kind)
        if request.body and not kind.startswith("application/x-www-form-urlencoded"):
            raise invalid("The body must be application/x-www-form-urlencoded.")
        return decode_form(request.body.decode() if request.method == "POST" else request.query)
    except (UnicodeDecodeError, FormError, MultipartError) as error:
        raise invalid(f"The parameters cannot be read: {error}") from error


class Keys:
    """API keys. Any ``sk_test_…`` is an account of its own until keys are registered or revoked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, str | None] = {}

    def account(self, key: str) -> str | None:
        """The account of a key; ``None`` for a key that opens nothing."""
        if key in self._known:
            return self._known[key]
        row = self._database.one("SELECT account, revoked FROM api_key WHERE key = ?", (key,))
        account: str | None = None
        if row is not None:
            account = None if row["revoked"] else str(row["account"])
        elif key.startswith(("sk_test_", "rk_test_")) and len(key) > len("sk_test_"):
            account = f"acct_{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        self._known[key] = account
        return account

    def register(self, key: str, *, account: str, revoked: bool) -> None:
        """Give a key an account (several keys may share one), or revoke it."""
        self._database.execute(
            "INSERT OR REPLACE INTO api_key (key, account, revoked) VALUES (?, ?, ?)", (key, account, revoked)
        )
        self._known.clear()

    def clear(self) -> None:
        """Forget what is remembered in memory, after a reset."""
        self._known.clear()


class Api:
    """Answers one request at a time per key, and one database transaction at a time in all."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        faults: Faults,
        webhooks: Webhooks,
        base_url: str,
        version: str,
    ) -> None:
        self.database = self._database = database
        self._clock, self._faults, self._webhooks = clock, faults, webhooks
        self.base_url, self._version = base_url, version
        self.keys = Keys(database)
        self.kept = KeptKeys(database)
        self.stopping = threading.Event()

    def handle(self, request: Request) -> Response:
        """Answer one API request."""
        request_id = new_request_id()
        try:
            call, operation = self._open(request, request_id)
            faults = self._pick(call, request)
        except ApiError as error:
            self._log_refusal(request, request_id, error)
            return self._respond(request_id, request.headers.get("idempotency-key"), error.status,
                                 dump(error.body).encode(), error.headers)  # fmt: skip
        return self._run(call, operation, faults)

    def _open(self, request: Request, request_id: str) -> tuple[Call, Operation]:
        account = self._authenticate(request.headers.get("authorization", ""))
        acting = request.headers.get("stripe-account", account)
        if acting != account and owner_of(self._database, acting) != account:
            raise ApiError(
                403, "invalid_request_error", "The key has no access to this account.", code="account_invalid"
            )
        account = acting
        version = request.headers.get("stripe-version", self._version)
        if version != self._version:
            raise invalid(f"Invalid API version: {version}; this server speaks {self._version}.")
        found = route(request.method, request.path)
        if found is None:
            raise invalid(f"Unrecognized request URL ({request.method}: {request.path}).", status=404)
        name, target, operation = found
        values = _parameters(request, name)
        clock = self._clock.now()
        call = Call(
            database=self._database, account=account, operation=name, method=request.method,
            path=request.path,
            params=Params(values), target=target, request_id=request_id,
            key=request.headers.get("idempotency-key") if request.method == "POST" else None,
            now=int(clock), clock=clock, base_url=self.base_url, api_version=self._version,
        )  # fmt: skip
        return call, operation

    def _authenticate(self, header: str) -> str:
        scheme, _, value = header.partition(" ")
        key = value.strip()
        if scheme.lower() == "basic":
            try:
                key = base64.b64decode(key, validate=True).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                key = ""
        if not key:
            raise ApiError(
                401, "invalid_request_error", "No API key was given: send Authorization: Bearer sk_test_…"
            )
        account = self.keys.account(key)
        if account is None:
            raise ApiError(401, "invalid_request_error", f"Invalid API key: {key[:8]}****{key[-4:]}")
        return account

    def _pick(self, call: Call, request: Request) -> list[Fault]:
        try:
            return self._faults.pick(call, request.headers.get("x-sandbox-fault"))
        except FaultError as error:
            raise invalid(f"Sandbox fault: {error}") from error

    def _run(self, call: Call, operation: Operation, faults: list[Fault]) -> Response:
        spoiled = answers.spoiled(faults)
        if spoiled is not None and not spoiled.effect and spoiled.kind not in answers.EXECUTED:
            self.log(call, status=None, faults=faults)
            return answers.spoil(self._respond(call.request_id, call.key, 200, b"{}"), spoiled)
        pushes: list[tuple[int, float, int]] = []
        try:
            kept = self.kept.claim(call)
        except ApiError as error:
            self.log(call, status=error.status, error=error, faults=faults)
            response = self._respond(call.request_id, call.key, error.status, dump(error.body).encode())
            return answers.spoil(response, spoiled)
        if kept is not None:
            self.log(call, status=kept.status, replayed=True, faults=faults)
            headers = {"Idempotent-Replayed": "true", "Original-Request": kept.request_id}
            response = self._respond(call.request_id, call.key, kept.status, kept.body, headers)
            return answers.spoil(
                response, None if spoiled is not None and spoiled.kind in answers.EXECUTED else spoiled
            )
        try:
            self._prepare(call, faults)
            status, body, pushes = self._execute(call, operation, faults, spoiled)
        finally:
            self.kept.release(call)
        self.send(pushes, faults)
        response = self._respond(call.request_id, call.key, status, body)
        if call.content is not None and status == 200:
            response.body, response.content_type = call.content
        return answers.spoil(response, spoiled)

    def _prepare(self, call: Call, faults: list[Fault]) -> None:
        """Faults that strike before execution: wait, or let the bank approve something else."""
        for fault in faults:
            if fault.kind == "slow":
                self.stopping.wait(fault.seconds(2.0))
            elif fault.kind == "partial_approval":
                call.approval = {"short_by": 1, **fault.options}
                if "currency" in fault.options and "short_by" not in fault.options:
                    call.approval["short_by"] = 0

    def send(self, pushes: list[tuple[int, float, int]], faults: list[Fault]) -> None:
        """Send committed webhooks; with that fault, wait until they have arrived."""
        self._webhooks.push(pushes)
        if pushes and any(fault.kind == "webhook_before_response" for fault in faults):
            self._webhooks.wait_delivered([push[0] for push in pushes], seconds=WEBHOOK_WAIT)

    def _execute(
        self, call: Call, operation: Operation, faults: list[Fault], spoiled: Fault | None
    ) -> tuple[int, bytes, list[tuple[int, float, int]]]:
        """Carry the operation out: everything it changes, its answer and its log commit together."""
        refused: ApiError | None = None
        with self._database.transaction():
            try:
                if spoiled is not None and not spoiled.effect:
                    raise answers.crash()
                answer: Object = operation(call)
                paths = call.params.names("expand")
                if paths:
                    expand(call, answer, paths)
                status, body = 200, dump(answer).encode()
                if call.method == "POST":
                    self._faults.note(call, answer)
            except ApiError as error:
                refused, status, body = error, error.status, dump(error.body).encode()
                if not error.commit:
                    call.events.clear()
                    self._database.restart()
            if spoiled is not None and spoiled.kind in answers.EXECUTED:
                refused = answers.crash()
                status, body = refused.status, dump(refused.body).encode()
            if call.operation.startswith("webhook_endpoints."):
                self._webhooks.forget_endpoints()
            pushes = self._webhooks.publish(call, faults) if call.events else []
            if refused is None or refused.saved:
                self.kept.keep(call, status, body)
            self.log(call, status=status, error=refused, faults=faults)
        return status, body, pushes

    def perform(
        self, *, account: str, operation: str, action: Any, target: str = "", values: Object | None = None
    ) -> Any:
        """Let ``action(call)`` happen without a caller: a buyer, a bank or an operator did it.

        ``values`` stand for the parameters of a call.
        """
        call = self.inner_call(account, operation, target, values or {})
        return self._carry_out(call, action, self._faults.pick(call, None))

    def perform_faulty(
        self, *, account: str, operation: str, action: Any, target: str, values: Object
    ) -> tuple[Any, Fault | None]:
        """As ``perform``, with faults: also returns the fault that spoils the answer.

        ``values`` stand for the parameters of a call: amount, currency, metadata, payment method. The result
        is ``None`` when the fault lets nothing happen.
        """
        call = self.inner_call(account, operation, target, values)
        faults = self._faults.pick(call, None)
        spoiled = answers.spoiled(faults)
        self._prepare(call, faults)
        if spoiled is not None and not spoiled.effect:
            return None, spoiled
        return self._carry_out(call, action, faults), spoiled

    def inner_call(self, account: str, operation: str, target: str, values: Object) -> Call:
        """A call that nobody sent to the provider's API, for what a buyer, a bank or the clock does."""
        clock = self._clock.now()
        return Call(
            database=self._database, account=account, operation=operation, method="INTERNAL", path="",
            params=Params(values), target=target, request_id=new_request_id(), key=None, now=int(clock),
            clock=clock,
            base_url=self.base_url, api_version=self._version,
        )  # fmt: skip

    def _carry_out(self, call: Call, action: Any, faults: list[Fault]) -> Any:
        with self._database.transaction():
            result = action(call)
            if call.operation.endswith(".webhook_endpoint"):
                self._webhooks.forget_endpoints()
            faults = [*faults, *call.asked]
            pushes = self._webhooks.publish(call, faults) if call.events else []
        self.send(pushes, faults)
        return result

    def _respond(
        self,
        request_id: str,
        key: str | None,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
    ) -> Response:
        answer = {"Request-Id": request_id, "Stripe-Version": self._version, **(headers or {})}
        if key is not None and key.isascii() and key.isprintable():
            answer["Idempotency-Key"] = key
        return Response(status, body, headers=answer)

    def log(
        self, call: Call, *, status: int | None, error: ApiError | None = None, replayed: bool = False,
        faults: list[Fault],
    ) -> None:  # fmt: skip
        self._database.execute(
            "INSERT INTO request_log (at, request_id, account, method, path, operation, idempotency_key,"
            " params, status, replayed, error_code, faults) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                call.clock, call.request_id, call.account, call.method, call.path, call.operation, call.key,
                dump(call.params.values), status, replayed, None if error is None else error.code,
                dump([fault.kind for fault in faults]) if faults else "[]",
            ),
        )  # fmt: skip

    def _log_refusal(self, request: Request, request_id: str, error: ApiError) -> None:
        self._database.execute(
            "INSERT INTO request_log (at, request_id, method, path, idempotency_key, params, status,"
            " replayed, error_code, faults) VALUES (?, ?, ?, ?, ?, '{}', ?, 0, ?, '[]')",
            (
                self._clock.now(), request_id, request.method, request.path,
                request.headers.get("idempotency-key"), error.status, error.code,
            ),
        )  # fmt: skip
