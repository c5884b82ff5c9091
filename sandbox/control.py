"""The control API under ``/_sandbox/``: JSON in, JSON out. Described in docs/reference/sandbox.md."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from sandbox import journal
from sandbox.banking import api as banking
from sandbox.banking.control import BankControl
from sandbox.banking.errors import BankError
from sandbox.connect_control import ConnectControl
from sandbox.database import dump, place_of
from sandbox.faults import FaultError
from sandbox.psp import attempts, disputes, events, payment_intents, refunds, reversals
from sandbox.psp.call import Call
from sandbox.psp.cards import find_card
from sandbox.psp.errors import ApiError
from sandbox.server import Request, Response
from sandbox.settlement.control import SettlementControl
from sandbox.store import BehaviourError
from sandbox.vendor import account_of
from sandbox.webhooks import EVERYBODY

if TYPE_CHECKING:
    from sandbox.world import World

Body = dict[str, Any]
MODES = ("send", "pause", "drop")


class Refusal(Exception):
    """The control request is wrong; the message says how."""


class Control:
    """Steers one sandbox."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Any]]] = []
        routes: list[tuple[str, str, Callable[..., Any]]] = [
            ("GET", "", self.describe),
            ("POST", "reset", self.reset),
            ("GET", "journal", self.journal),
            ("GET", "journal/totals", self.totals),
            ("GET", "requests", self.requests),
            ("GET", "events", self.events),
            ("GET", "faults", self.faults),
            ("POST", "faults", self.arm),
            ("DELETE", "faults", self.disarm),
            ("DELETE", "faults/(?P<identifier>flt_[0-9]+)", self.disarm),
            ("GET", "clock", self.clock),
            ("POST", "clock", self.move_clock),
            ("POST", "listener", self.listener),
            ("POST", "keys", self.keys),
            ("POST", "webhook_endpoints", self.add_endpoint),
            ("POST", "webhooks", self.webhooks),
            ("POST", "webhooks/release", self.release),
            ("GET", "deliveries", self.deliveries),
            ("POST", "payment_intents/(?P<identifier>pi_[0-9a-f]+)/authentication", self.authentication),
            ("POST", "payment_intents/(?P<identifier>pi_[0-9a-f]+)/settlement", self.settlement),
            (
                "POST",
                "payment_intents/(?P<identifier>pi_[0-9a-f]+)/(?P<what>capture|cancel|expire)",
                self.intervene,
            ),
            ("POST", "checkout_sessions/(?P<identifier>cs_test_[0-9a-f]+)/payment", self.pay_session),
            ("POST", "payment_intents/(?P<identifier>pi_[0-9a-f]+)/refund", self.refund_intent),
            ("POST", "refunds/(?P<identifier>re_[0-9a-f]+)/fail", self.fail_refund),
            ("POST", "charges/(?P<identifier>ch_[0-9a-f]+)/dispute", self.dispute),
            ("POST", "disputes/(?P<identifier>dp_[0-9a-f]+)/(?P<step>[a-z_]+)", self.dispute_step),
            ("POST", "payment_intents/(?P<identifier>pi_[0-9a-f]+)/reversal", self.reverse),
            ("POST", "refunds/(?P<identifier>re_[0-9a-f]+)/succeed", self.succeed_refund),
            ("GET", "vendor", self.vendor),
            ("POST", "vendor", self.vendor),
            ("GET", "vendor/assessments", self.assessments),
            ("POST", "vendor/assessments/(?P<identifier>.{1,200})", self.assess),
            ("POST", "store/secrets", self.add_secret),
            ("DELETE", "store/secrets", self.drop_secret),
            ("GET", "store/webhooks", self.store_webhooks),
            ("GET", "store/settings", self.store_settings),
            ("POST", "store/settings", self.change_store_settings),
            ("POST", "store/behaviours", self.behave),
            ("DELETE", "store/behaviours", self.behave_well),
        ]
        routes += ConnectControl(world, owner=self._owner, account=self._account).routes()
        routes += BankControl(world, self._account).routes
        routes += SettlementControl(world, self._account).routes
        for method, path, action in routes:
            self._routes.append((method, re.compile(path), action))

    def handle(self, request: Request) -> Response:
        """Answer one control request; what is wrong with it is said in ``error`` with a 4xx."""
        path = request.path.removeprefix("/_sandbox").strip("/")
        known = False
        for method, pattern, action in self._routes:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            known = True
            if method == request.method:
                return self._answer(action, request, match.groupdict())
        return reply(405 if known else 404, {"error": f"no {request.method} /_sandbox/{path}"})

    def _answer(self, action: Callable[..., Any], request: Request, names: dict[str, str]) -> Response:
        try:
            if request.method == "GET":
                data: Body = dict(parse_qsl(request.query))
            else:
                data = json.loads(request.body or b"{}")
            if not isinstance(data, dict):
                raise Refusal("the body must be a JSON object")
            if action == self.listener and "x-sandbox-control-port" not in request.headers:
                raise Refusal("the listener is closed and opened through the control port")
            return reply(200, action(data, **names))
        except (Refusal, FaultError, BehaviourError, BankError, ValueError, TypeError) as error:
            return reply(400, {"error": str(error)})
        except ApiError as error:
            return reply(error.status, {"error": str(error)})

    def describe(self, data: Body) -> Any:
        """Addresses, version, clock, sizes."""
        return self._world.describe()

    def reset(self, data: Body) -> Any:
        """Forget everything: objects, keys, journal, events, faults, clock, store."""
        self._world.reset()
        return {"reset": True}

    def journal(self, data: Body) -> Any:
        """The journal of effects, filtered."""
        return {"data": journal.read(self._world.database, data)}

    def totals(self, data: Body) -> Any:
        """The journal summed per PaymentIntent."""
        return {"data": journal.totals(self._world.database, data)}

    def requests(self, data: Body) -> Any:
        """The request log; filters: operation, account, idempotency_key, path, status, after."""
        where, values = ["seq > CAST(? AS INTEGER)"], [data.pop("after", "0")]
        for name, value in data.items():
            if name not in ("operation", "account", "idempotency_key", "path", "status", "request_id"):
                raise Refusal(f"unknown filter {name}")
            where.append(f"{name} = ?")
            values.append(value)
        sql = f"SELECT * FROM request_log WHERE {' AND '.join(where)} ORDER BY seq"  # noqa: S608 - columns are ours
        rows = self._world.database.rows(sql, values)
        for row in rows:
            row["params"], row["faults"] = json.loads(row["params"]), json.loads(row["faults"])
            row["replayed"] = bool(row["replayed"])
        return {"data": rows}

    def events(self, data: Body) -> Any:
        """Every event, oldest first; filters: account, type."""
        rows = self._world.database.rows(
            "SELECT account, body FROM object WHERE type = 'event' AND (?1 IS NULL OR account = ?1)"
            " AND (?2 IS NULL OR subtype = ?2) ORDER BY seq",
            (data.get("account"), data.get("type")),
        )
        return {"data": [{"account": row["account"], **json.loads(row["body"])} for row in rows]}

    def faults(self, data: Body) -> Any:
        """The armed faults with their counts."""
        return {"data": self._world.faults.describe()}

    def arm(self, data: Body) -> Any:
        """Arm a fault; ``account`` may be an account id or an API key."""
        if "account" in data:
            data["account"] = self._account(data["account"])
        return self._world.faults.arm(data).describe()

    def disarm(self, data: Body, identifier: str | None = None) -> Any:
        """Disarm one fault, or all."""
        return {"disarmed": self._world.faults.disarm(identifier)}

    def clock(self, data: Body) -> Any:
        """The sandbox clock."""
        return {"now": self._world.clock.now(), "offset": self._world.clock.offset}

    def move_clock(self, data: Body) -> Any:
        """Move the sandbox clock by ``seconds``; what is due by then happens before the answer."""
        self._world.clock.move(seconds=float(data["seconds"]) if "seconds" in data else _missing("seconds"))
        expired = self._expire()
        return {**self.clock({}), "expired": expired, "rang": self._world.alarms.ring()}

    def _expire(self) -> list[str]:
        rows = self._world.database.rows(
            "SELECT id, account FROM object WHERE type = 'payment_intent'"
            " AND json_extract(body, '$.status') = 'requires_capture'"
        )
        expired = []
        for row in rows:
            intent, _ = self._world.api.perform(
                account=row["account"],
                operation="provider.expiry",
                action=payment_intents.load,
                target=row["id"],
            )
            if intent["status"] == "canceled":
                expired.append(row["id"])
        return expired

    def listener(self, data: Body) -> Any:
        """Close the main port: a connect is refused. ``open`` true, or ``seconds`` later, opens it again."""
        main = self._world.main
        if data.get("open"):
            main.open()
        else:
            main.close()
            if "seconds" in data:
                timer = threading.Timer(float(data["seconds"]), main.open)
                timer.daemon = True
                timer.start()
        return {"open": main.is_open}

    def keys(self, data: Body) -> Any:
        """Give ``key`` the account of ``account`` (an id or another key), or revoke it."""
        key = data.get("key") or _missing("key")
        account = self._account(str(data.get("account", key)))
        self._world.api.keys.register(key, account=account, revoked=bool(data.get("revoked")))
        return {"key": key, "account": account, "revoked": bool(data.get("revoked"))}

    def _account(self, value: str) -> str:
        if value.startswith(("acct_", "bank_")) or value == EVERYBODY:
            return value
        account = self._world.api.keys.account(value) or account_of(value) or banking.account_of(value)
        if account is None:
            raise Refusal("account is acct_…, bank_… or a working API key")
        return account

    def add_endpoint(self, data: Body) -> Any:
        """Register a webhook endpoint with a secret of your choice; account ``*`` hears every account.

        With ``connect`` it hears the connected accounts of ``account`` instead of that account itself.

        The same address of the same account with the same secret is registered once, and hears of the events
        that were named last.
        """
        url, secret = data.get("url") or _missing("url"), data.get("secret") or _missing("secret")
        enabled, account = list(data.get("events", ["*"])), self._account(data.get("account", EVERYBODY))
        connect = bool(data.get("connect"))

        def act(call: Call) -> Any:
            for row in self._world.database.rows(
                "SELECT body, hidden FROM object WHERE type = 'webhook_endpoint' AND account = ?", (account,)
            ):
                known, hidden = json.loads(row["body"]), json.loads(row["hidden"])
                is_same = known["url"] == url and hidden["secret"] == secret
                if is_same and hidden.get("connect", False) == connect:
                    call.save(known | {"enabled_events": enabled})
                    return known | {"enabled_events": enabled}
            return events.make_endpoint(call, url=url, enabled=enabled, secret=secret, connect=connect)

        return self._world.api.perform(account=account, operation="control.webhook_endpoint", action=act)

    def webhooks(self, data: Body) -> Any:
        """``mode`` send, pause or drop; ``retry_schedule`` seconds; ``signature_clock`` real or sandbox."""
        webhooks = self._world.webhooks
        if "mode" in data:
            if data["mode"] not in MODES:
                raise Refusal(f"mode must be one of {', '.join(MODES)}")
            webhooks.set_mode(data["mode"])
        if "retry_schedule" in data:
            webhooks.schedule = tuple(float(seconds) for seconds in data["retry_schedule"])
        if "signature_clock" in data:
            if data["signature_clock"] not in ("real", "sandbox"):
                raise Refusal("signature_clock is real or sandbox")
            webhooks.signature_clock = data["signature_clock"]
        return {
            "mode": webhooks.mode,
            "retry_schedule": list(webhooks.schedule),
            "signature_clock": webhooks.signature_clock,
        }

    def release(self, data: Body) -> Any:
        """Send held deliveries, all or ``deliveries`` in that order."""
        return {"released": self._world.webhooks.release(data.get("deliveries"))}

    def deliveries(self, data: Body) -> Any:
        """Every webhook delivery; filters: account, event, type, object, state."""
        where, values = ["1 = 1"], []
        for name, value in data.items():
            if name not in ("account", "event", "type", "object", "state"):
                raise Refusal(f"unknown filter {name}")
            where.append(f"{name} = ?")
            values.append(value)
        columns = (
            "id, event, type, object, account, endpoint, state, due_at, attempts, status, error, forgery"
        )
        sql = f"SELECT {columns} FROM delivery WHERE {' AND '.join(where)} ORDER BY id"  # noqa: S608 - ours
        return {"data": self._world.database.rows(sql, values)}

    def authentication(self, data: Body, identifier: str) -> Any:
        """Finish the 3-D Secure step of a PaymentIntent: ``result`` complete or fail."""
        if data.get("result") not in ("complete", "fail"):
            raise Refusal("result is complete or fail")
        return self._world.bank.finish(identifier, passed=data["result"] == "complete")

    def settlement(self, data: Body, identifier: str) -> Any:
        """End a PaymentIntent that is processing: ``result`` succeed or fail."""
        if data.get("result") not in ("succeed", "fail"):
            raise Refusal("result is succeed or fail")

        def act(call: Call) -> Any:
            intent, hidden = call.load("payment_intent", identifier)
            return attempts.settle(call, intent, hidden, succeeded=data["result"] == "succeed")

        account = self._owner(identifier)
        return self._world.api.perform(
            account=account, operation="bank.settlement", action=act, target=identifier
        )

    def intervene(self, data: Body, identifier: str, what: str) -> Any:
        """What somebody does at the provider without the API's caller: capture (``amount``), cancel, expire.

        ``expire`` is the bank that drops an authorisation.
        """
        values = {"amount_to_capture": str(data["amount"])} if "amount" in data else {}
        operation = {"expire": "bank.expiry"}.get(what, f"dashboard.{what}")
        actions: dict[str, Callable[[Call], Any]] = {
            "capture": payment_intents.capture,
            "cancel": payment_intents.cancel,
            "expire": payment_intents.expire,
        }
        account = self._owner(identifier)
        return self._world.api.perform(
            account=account, operation=operation, action=actions[what], target=identifier, values=values
        )

    def pay_session(self, data: Body, identifier: str) -> Any:
        """Let a buyer pay a Checkout Session with a test card, as on its page."""
        token = str(data.get("token", "pm_card_visa"))
        if find_card(token) is None:
            raise Refusal(f"no test card {token}")
        session, fault = self._world.checkout.pay(self._owner(identifier), identifier, token=token)
        return session if fault is None else {"fault": fault.kind, "session": session}

    def _owner(self, identifier: str) -> str:
        row = self._world.database.one(
            "SELECT account FROM object WHERE seq = ? AND id = ?", (place_of(identifier), identifier)
        )
        if row is None:
            raise ApiError(404, "invalid_request_error", f"no object {identifier}")
        return str(row["account"])

    def fail_refund(self, data: Body, identifier: str) -> Any:
        """The bank sends a refund back that is pending or succeeded."""
        return self._world.api.perform(
            account=self._owner(identifier),
            operation="bank.refund_failure",
            action=lambda call: refunds.fail(call, identifier),
        )

    def dispute(self, data: Body, identifier: str) -> Any:
        """A buyer's bank disputes a charge: ``reason``, ``amount``, ``inquiry``, ``fee``, ``due_in``."""
        unknown = set(data) - {"reason", "amount", "inquiry", "fee", "due_in"}
        if unknown:
            raise Refusal(f"unknown wishes {', '.join(sorted(unknown))}")

        def act(call: Call) -> Any:
            charge, _ = call.load("charge", identifier)
            return disputes.start(call, charge, **{"reason": "fraudulent", **data})

        account = self._owner(identifier)
        return self._world.api.perform(
            account=account, operation="bank.dispute", action=act, target=identifier
        )

    def dispute_step(self, data: Body, identifier: str, step: str) -> Any:
        """The bank goes on: ``win`` and ``lose`` (again and again: arbitration), ``escalate``, ``rest``."""
        steps: dict[str, Callable[[Call, Any], Any]] = {
            "win": lambda call, dispute: disputes.decide(call, dispute, "won"),
            "lose": lambda call, dispute: disputes.decide(call, dispute, "lost"),
            "escalate": disputes.escalate,
            "rest": disputes.close_inquiry,
        }
        if step not in steps:
            raise Refusal(f"a dispute can {', '.join(steps)}")
        return self._world.api.perform(
            account=self._owner(identifier),
            operation="bank.dispute",
            action=lambda call: steps[step](call, call.load("dispute", identifier)[0]),
            target=identifier,
        )

    def reverse(self, data: Body, identifier: str) -> Any:
        """The rail takes a captured payment back, days after it succeeded."""
        return self._world.api.perform(
            account=self._owner(identifier),
            operation="bank.reversal",
            action=lambda call: reversals.reverse(call, identifier),
            target=identifier,
        )

    def succeed_refund(self, data: Body, identifier: str) -> Any:
        """A pending refund reaches the buyer's bank."""
        return self._world.api.perform(
            account=self._owner(identifier),
            operation="bank.refund_success",
            action=lambda call: refunds.succeed(call, identifier),
        )

    def refund_intent(self, data: Body, identifier: str) -> Any:
        """Somebody refunds a PaymentIntent on the provider's dashboard: ``amount``, or all that is left."""
        amount = int(data["amount"]) if "amount" in data else None
        return self._world.api.perform(
            account=self._owner(identifier),
            operation="dashboard.refund",
            action=lambda call: refunds.of_intent(call, identifier, amount),
            target=identifier,
        )

    def vendor(self, data: Body) -> Any:
        """How long the risk vendor takes (``seconds``) and what it says without magic (``outcome``)."""
        return self._world.vendor.configure(seconds=data.get("seconds"), outcome=data.get("outcome"))

    def assessments(self, data: Body) -> Any:
        """Every assessment of the risk vendor."""
        return {"data": self._world.vendor.all()}

    def assess(self, data: Body, identifier: str) -> Any:
        """Decide an assessment, named by id or reference: ``status``, ``score``, ``reasons``."""
        return self._world.vendor.decide(
            identifier,
            status=str(data.get("status")),
            score=data.get("score"),
            reasons=data.get("reasons"),
        )

    def add_secret(self, data: Body) -> Any:
        """Let the store trust a ``whsec_…`` secret."""
        self._world.store.add_secret(data.get("secret") or _missing("secret"))
        return {"registered": True}

    def drop_secret(self, data: Body) -> Any:
        """Let the store trust a secret no longer."""
        self._world.store.drop_secret(data.get("secret") or _missing("secret"))
        return {"registered": False}

    def store_webhooks(self, data: Body) -> Any:
        """What the store received; filter: verified true or false."""
        wanted = {"true": True, "false": False}.get(data.get("verified", ""))
        return {"data": self._world.store.received(verified=wanted)}

    def store_settings(self, data: Body) -> Any:
        """Where the store's payment system is; the key only by its ends."""
        return self._world.store.settings.describe()

    def change_store_settings(self, data: Body) -> Any:
        """Connect the store to its payment system: ``api_url``, ``api_key``."""
        self._world.store.settings.change(data)
        return self._world.store.settings.describe()

    def behave(self, data: Body) -> Any:
        """Let the store's receiver answer the next webhooks badly."""
        return self._world.store.behave(data)

    def behave_well(self, data: Body) -> Any:
        """Let the store's receiver behave again."""
        self._world.store.clear()
        return {"cleared": True}


def _missing(name: str) -> Any:
    raise Refusal(f"{name} is required")


def reply(status: int, data: Any) -> Response:
    """A JSON response."""
    return Response(status, dump(data).encode())
