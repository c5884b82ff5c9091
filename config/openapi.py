"""What the description of the API says about the whole."""

from typing import Any

__all__ = ["openapi_settings"]

_ABOUT = """
Accept payments of many sellers in one checkout, follow them to their end, see what each seller has, and pay
sellers out.

- **Money** is two strings beside each other, `amount` and `currency`; never a number.
- **A POST is done once**: send an `Idempotency-Key`, and send the same request again when in doubt.
- **Errors** have one shape and a stable `code`. A method that a path does not have is answered 405
  `method_not_allowed`; a path that nobody has, 404 `not_found`.
- **Lists** are newest first, by `cursor`; an unknown query parameter or field is refused, not ignored.
- **Ids**: sellers, checkouts and orders are found by the store's own id or by ours.
"""

_KEY = """
An API key, `sk_test_…` or `sk_live_…`. A key has scopes; each operation names the one that it needs.

A request may be signed as well, by four `Signature` headers, and some keys accept signed requests only.
"""


def openapi_settings() -> dict[str, Any]:
    """Return SPECTACULAR_SETTINGS."""
    return {
        "TITLE": "Quittance",
        "VERSION": "1",
        "DESCRIPTION": _ABOUT.strip(),
        "OAS_VERSION": "3.1.1",
        "DEFAULT_GENERATOR_CLASS": "core.api.openapi.description.Generator",
        "SCHEMA_PATH_PREFIX": "/v1/",
        "PREPROCESSING_HOOKS": [],
        "POSTPROCESSING_HOOKS": [],
        "SORT_OPERATIONS": False,
        "APPEND_COMPONENTS": {
            "securitySchemes": {"api_key": {"type": "http", "scheme": "bearer", "description": _KEY.strip()}}
        },
        "SERVERS": [{"url": "/"}],
        "TAGS": [
            {"name": "payments", "description": "Checkouts and the payment orders in them."},
            {"name": "refunds", "description": "Money that goes back to buyers."},
            {"name": "disputes", "description": "What buyers' banks ask about, or take back."},
            {"name": "buyers", "description": "What buyers had kept to pay with."},
            {"name": "sellers", "description": "Who sells, and on what terms."},
            {"name": "payouts", "description": "The accounts that sellers are paid out to."},
            {"name": "wallets", "description": "What sellers have, and how it came to that."},
            {"name": "webhooks", "description": "Where stores are told, and what was sent there."},
            {"name": "events", "description": "What stores are told."},
            {"name": "about", "description": "The API about itself."},
        ],
    }
