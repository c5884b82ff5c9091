"""Connected accounts: whom a platform pays. Each belongs to the platform that made it.

An account with the capability ``transfers`` can be paid at once: nobody has to fill in forms here. It makes
no payouts by itself; its platform makes them, with the ``Stripe-Account`` header.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.database import Database, place_of
from sandbox.psp.call import Call, Object
from sandbox.psp.errors import invalid, within
from sandbox.psp.lists import page
from sandbox.psp.params import Params

TYPES = {"custom", "express", "standard"}
ACTIVE, INACTIVE = "active", "inactive"
_BANK_KEYS = {
    "object", "country", "currency", "account_number", "routing_number", "account_holder_name",
    "account_holder_type",
}  # fmt: skip
_NO_REQUIREMENTS: Object = {
    "alternatives": [], "current_deadline": None, "currently_due": [], "disabled_reason": None, "errors": [],
    "eventually_due": [], "past_due": [], "pending_verification": [],
}  # fmt: skip


def owner_of(database: Database, identifier: str) -> str | None:
    """The platform that a connected account belongs to; ``None`` for anything else."""
    row = database.one(
        "SELECT account FROM object WHERE seq = ? AND id = ? AND type = 'account'",
        (place_of(identifier), identifier),
    )
    return None if row is None else str(row["account"])


def on(call: Call, account: str) -> Call:
    """The same call, for booking on another account; its events stay with the account they are about."""
    return replace(call, account=account)


def create(call: Call) -> Object:
    """``POST /v1/accounts``: type, country, email, capabilities, external_account, metadata."""
    params = call.params
    kind = params.choice("type", TYPES, "standard")
    country = (params.text("country", limit=2) or "US").upper()
    currency = (params.text("default_currency", limit=3) or "usd").lower()
    capabilities = _capabilities(params, kind)
    identifier = call.new_id("acct")
    account: Object = {
        "id": identifier,
        "object": "account",
        "business_profile": _business_profile(),
        "business_type": params.text("business_type"),
        "capabilities": capabilities,
        "charges_enabled": capabilities["card_payments"] == ACTIVE,
        "controller": {"type": "application"},
        "country": country,
        "created": call.now,
        "default_currency": currency,
        "details_submitted": True,
        "email": params.text("email"),
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/accounts/{identifier}/external_accounts",
        },
        "future_requirements": dict(_NO_REQUIREMENTS),
        "metadata": params.metadata(),
        "payouts_enabled": capabilities["transfers"] == ACTIVE,
        "requirements": dict(_NO_REQUIREMENTS),
        "settings": _settings(params),
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": kind,
    }
    hidden = _add_bank(call, account)
    params.close("tos_acceptance", "controller")
    return call.insert(account, hidden)


def _capabilities(params: Params, kind: str | None) -> dict[str, str]:
    wanted = params.mapping("capabilities") or {}
    found = {}
    for name in ("card_payments", "transfers"):
        asked = wanted.get(name)
        is_wanted = isinstance(asked, dict) and asked.get("requested") == "true"
        found[name] = ACTIVE if is_wanted or (not wanted and kind == "standard") else INACTIVE
    return found


def _settings(params: Params) -> Object:
    """Only what a platform may say about payouts: that it makes them itself."""
    asked: Any = params.mapping("settings") or {}
    for name in ("payouts", "schedule"):
        asked = asked.get(name, {}) if isinstance(asked, dict) else None
    if not isinstance(asked, dict) or asked.get("interval", "manual") != "manual":
        raise invalid(
            "Accounts of the sandbox make no payouts by themselves: the interval is manual.",
            param="settings[payouts][schedule][interval]",
        )
    return {
        "bacs_debit_payments": {"display_name": None, "service_user_number": None},
        "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
        "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            "statement_descriptor_prefix": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
        "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": None},
        "payments": {
            "statement_descriptor": None,
            "statement_descriptor_kana": None,
            "statement_descriptor_kanji": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "payouts": {
            "debit_negative_balances": False,
            "schedule": {"delay_days": 2, "interval": "manual"},
            "statement_descriptor": None,
        },
        "sepa_debit_payments": {},
    }


def _business_profile() -> Object:
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {
        "annual_revenue": {"amount": None, "currency": None, "fiscal_year_end": None},
        "estimated_worker_count": None,
        "mcc": None,
        "minority_owned_business_designation": None,
        "name": None,
        "product_description": None,
        "support_address": address,
        "support_email": None,
        "support_phone": None,
        "support_url": None,
        "url": None,
    }


def _add_bank(call: Call, account: Object) -> Object:
    """The bank account that payouts of this account go to. Its number stays hidden: only four digits show."""
    asked = call.params.mapping("external_account")
    if asked is None:
        return {}
    with within("external_account"):
        for name in asked:
            if name not in _BANK_KEYS:
                raise invalid(f"Received unknown parameter: {name}", param=name, code="parameter_unknown")
        inner = Params(asked)
        number = inner.required("account_number")
        bank: Object = {
            "id": call.new_id("ba"),
            "object": "bank_account",
            "account_holder_name": inner.text("account_holder_name"),
            "account_holder_type": inner.text("account_holder_type"),
            "account_type": None,
            "bank_name": "SANDBOX BANK",
            "country": (inner.text("country") or account["country"]).upper(),
            "currency": inner.currency(),
            "customer": None,
            "fingerprint": call.request_id[-16:],
            "last4": number[-4:],
            "metadata": {},
            "routing_number": inner.text("routing_number"),
            "status": "new",
        }
    account["external_accounts"]["data"].append(bank)
    return {"numbers": {bank["id"]: number}}


def retrieve(call: Call) -> Object:
    """``GET /v1/accounts/{id}``."""
    call.params.close()
    return call.load("account", call.target, param="account")[0]


def update(call: Call) -> Object:
    """``POST /v1/accounts/{id}``: email and metadata."""
    account, _ = call.load("account", call.target, param="account")
    account["email"] = call.params.text("email") or account["email"]
    account["metadata"] = call.params.metadata(account["metadata"])
    call.params.close()
    return call.save(account)


def list_all(call: Call) -> Object:
    """``GET /v1/accounts``."""
    return page(call, "account", {})


def change(call: Call, identifier: str, *, transfers: str | None, payouts_enabled: bool | None) -> Object:
    """The provider lets an account be paid, or no longer; told as an event of the account itself."""
    platform = on(call, owner_of(call.database, identifier) or call.account)
    account, _ = platform.load("account", identifier, param="account")
    if transfers is not None:
        account["capabilities"]["transfers"] = transfers
        account["requirements"]["disabled_reason"] = None if transfers == ACTIVE else "rejected.other"
    if payouts_enabled is not None:
        account["payouts_enabled"] = payouts_enabled
    platform.save(account)
    call.emit("account.updated", account)
    return account
