"""Introduce the sandbox to the demo merchant: where its provider tells of payments, whom its store trusts."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

__all__ = ["Authenticator", "authenticator", "connect_sandbox"]

# What can change the state of a payment; nobody needs to be told that we registered one.
# What pay-in and pay-out follow, told once each: a refund is told of by its own events, not by its charge's.
EVENTS = (
    "payment_intent.requires_action",
    "payment_intent.processing",
    "payment_intent.amount_capturable_updated",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.failed",
    "transfer.created",
    "transfer.reversed",
    "payout.failed",
)


class Authenticator(NamedTuple):
    """What an authenticator app is told, typed or as an address, to show the administrator's codes."""

    secret: str
    url: str


def authenticator(facts: Mapping[str, Any]) -> Authenticator:
    """Return the administrator's secret as apps take it; demo_data keeps it in hex."""
    secret = base64.b32encode(bytes.fromhex(facts["admin_totp_secret"])).decode()
    account = quote(f"Quittance:{facts['admin_user']}", safe=":")
    return Authenticator(secret, f"otpauth://totp/{account}?secret={secret}&issuer=Quittance")


def connect_sandbox(*, facts: dict[str, str | None]) -> None:
    """Register the webhook endpoint with the provider; give the store its key and its signing secret.

    All of it may be done again at every start. Raises OSError when the sandbox does not answer.
    """
    if not facts.get("psp_channel"):
        return
    _post(
        f"{facts['sandbox_url']}/_sandbox/webhook_endpoints",
        {
            "url": f"{facts['api_url']}/psp/{facts['psp_channel']}/webhooks",
            "secret": facts["psp_webhook_secret"],
            "account": facts["psp_key"],
            "events": list(EVENTS),
        },
    )
    if facts.get("bank_channel"):
        _post(
            f"{facts['sandbox_url']}/_sandbox/bank/callbacks",
            {
                "url": f"{facts['api_url']}/psp/{facts['bank_channel']}/webhooks",
                "secret": facts["bank_webhook_secret"],
                "owner": facts["bank_key"],
            },
        )
        _post(
            f"{facts['sandbox_url']}/_sandbox/settlement_accounts",
            {"account": facts["psp_key"], "interval": "daily", "bank": facts["bank_key"]},
        )
    _post(f"{facts['sandbox_url']}/_sandbox/store/secrets", {"secret": facts["webhook_secret"]})
    _post(
        f"{facts['sandbox_url']}/_sandbox/store/settings",
        {"api_url": facts["api_url"], "api_key": facts["api_key"]},
    )


def _post(url: str, body: dict[str, Any]) -> None:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("POST", parts.path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise OSError(f"{url} answered {answer.status}")
    finally:
        connection.close()
