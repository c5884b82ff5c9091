"""Which request is which operation. Operation names are what faults are armed for."""

from __future__ import annotations

import re
from collections.abc import Callable

from sandbox.psp import (
    accounts,
    balances,
    charges,
    customers,
    disputes,
    events,
    files,
    payment_intents,
    payment_methods,
    payouts,
    refunds,
    sessions,
    transfers,
)
from sandbox.psp.call import Call, Object
from sandbox.reporting import runs

Operation = Callable[[Call], Object]

#: Resources whose name has a slash.
_NESTED = re.compile("^v1/(checkout|reporting)/")

#: (method, resource, action) to operation; "" is the resource itself, "id" one object.
OPERATIONS: dict[tuple[str, str, str], tuple[str, Operation]] = {
    ("POST", "payment_intents", ""): ("payment_intents.create", payment_intents.create),
    ("GET", "payment_intents", ""): ("payment_intents.list", payment_intents.list_all),
    ("GET", "payment_intents", "id"): ("payment_intents.retrieve", payment_intents.retrieve),
    ("POST", "payment_intents", "id"): ("payment_intents.update", payment_intents.update),
    ("POST", "payment_intents", "confirm"): ("payment_intents.confirm", payment_intents.confirm),
    ("POST", "payment_intents", "capture"): ("payment_intents.capture", payment_intents.capture),
    ("POST", "payment_intents", "cancel"): ("payment_intents.cancel", payment_intents.cancel),
    ("POST", "checkout/sessions", ""): ("checkout.sessions.create", sessions.create),
    ("GET", "checkout/sessions", ""): ("checkout.sessions.list", sessions.list_all),
    ("GET", "checkout/sessions", "id"): ("checkout.sessions.retrieve", sessions.retrieve),
    ("POST", "checkout/sessions", "id"): ("checkout.sessions.update", sessions.update),
    ("POST", "checkout/sessions", "expire"): ("checkout.sessions.expire", sessions.expire),
    ("GET", "charges", ""): ("charges.list", charges.list_all),
    ("GET", "charges", "id"): ("charges.retrieve", charges.retrieve),
    ("POST", "refunds", ""): ("refunds.create", refunds.create),
    ("GET", "refunds", ""): ("refunds.list", refunds.list_all),
    ("GET", "refunds", "id"): ("refunds.retrieve", refunds.retrieve),
    ("POST", "refunds", "id"): ("refunds.update", refunds.update),
    ("GET", "disputes", ""): ("disputes.list", disputes.list_all),
    ("GET", "disputes", "id"): ("disputes.retrieve", disputes.retrieve),
    ("POST", "disputes", "id"): ("disputes.update", disputes.update),
    ("POST", "disputes", "close"): ("disputes.close", disputes.close),
    ("POST", "files", ""): ("files.create", files.create),
    ("GET", "files", ""): ("files.list", files.list_all),
    ("GET", "files", "id"): ("files.retrieve", files.retrieve),
    ("GET", "files", "contents"): ("files.contents", files.contents),
    ("POST", "reporting/report_runs", ""): ("reporting.report_runs.create", runs.create),
    ("GET", "reporting/report_runs", ""): ("reporting.report_runs.list", runs.list_all),
    ("GET", "reporting/report_runs", "id"): ("reporting.report_runs.retrieve", runs.retrieve),
    ("GET", "reporting/report_types", ""): ("reporting.report_types.list", runs.list_types),
    ("GET", "reporting/report_types", "id"): ("reporting.report_types.retrieve", runs.retrieve_type),
    ("POST", "accounts", ""): ("accounts.create", accounts.create),
    ("GET", "accounts", ""): ("accounts.list", accounts.list_all),
    ("GET", "accounts", "id"): ("accounts.retrieve", accounts.retrieve),
    ("POST", "accounts", "id"): ("accounts.update", accounts.update),
    ("POST", "transfers", ""): ("transfers.create", transfers.create),
    ("GET", "transfers", ""): ("transfers.list", transfers.list_all),
    ("GET", "transfers", "id"): ("transfers.retrieve", transfers.retrieve),
    ("POST", "transfers", "id"): ("transfers.update", transfers.update),
    ("POST", "transfers", "reversals"): ("transfers.reversals.create", transfers.create_reversal),
    ("GET", "transfers", "reversals"): ("transfers.reversals.list", transfers.list_reversals),
    ("POST", "payouts", ""): ("payouts.create", payouts.create),
    ("GET", "payouts", ""): ("payouts.list", payouts.list_all),
    ("GET", "payouts", "id"): ("payouts.retrieve", payouts.retrieve),
    ("POST", "payouts", "cancel"): ("payouts.cancel", payouts.cancel),
    ("POST", "payouts", "reverse"): ("payouts.reverse", payouts.reverse),
    ("GET", "balance", ""): ("balance.retrieve", balances.retrieve),
    ("GET", "balance_transactions", ""): ("balance_transactions.list", balances.list_transactions),
    ("GET", "balance_transactions", "id"): ("balance_transactions.retrieve", balances.retrieve_transaction),
    ("POST", "customers", ""): ("customers.create", customers.create),
    ("GET", "customers", ""): ("customers.list", customers.list_all),
    ("GET", "customers", "id"): ("customers.retrieve", customers.retrieve),
    ("POST", "customers", "id"): ("customers.update", customers.update),
    ("DELETE", "customers", "id"): ("customers.delete", customers.delete),
    ("GET", "customers", "payment_methods"): ("customers.payment_methods", payment_methods.list_of_customer),
    ("POST", "payment_methods", ""): ("payment_methods.create", payment_methods.create),
    ("GET", "payment_methods", ""): ("payment_methods.list", payment_methods.list_all),
    ("GET", "payment_methods", "id"): ("payment_methods.retrieve", payment_methods.retrieve),
    ("POST", "payment_methods", "attach"): ("payment_methods.attach", payment_methods.attach),
    ("POST", "payment_methods", "detach"): ("payment_methods.detach", payment_methods.detach),
    ("GET", "events", ""): ("events.list", events.list_all),
    ("GET", "events", "id"): ("events.retrieve", events.retrieve),
    ("POST", "webhook_endpoints", ""): ("webhook_endpoints.create", events.create_endpoint),
    ("GET", "webhook_endpoints", ""): ("webhook_endpoints.list", events.list_endpoints),
    ("GET", "webhook_endpoints", "id"): ("webhook_endpoints.retrieve", events.retrieve_endpoint),
    ("POST", "webhook_endpoints", "id"): ("webhook_endpoints.update", events.update_endpoint),
    ("DELETE", "webhook_endpoints", "id"): ("webhook_endpoints.delete", events.delete_endpoint),
}


def route(method: str, path: str) -> tuple[str, str, Operation] | None:
    """Operation name, the id in the path ("" when none) and the function; ``None`` for an unknown URL."""
    parts = _NESTED.sub(r"v1/\1~", path.strip("/")).split("/")
    if len(parts) < 2 or len(parts) > 4 or parts[0] != "v1":
        return None
    target = parts[2] if len(parts) > 2 else ""
    action = parts[3] if len(parts) == 4 else ("id" if target else "")
    found = OPERATIONS.get((method, parts[1].replace("~", "/"), action))
    if found is None or (action == "id" and len(parts) == 4):
        return None
    return found[0], target, found[1]
