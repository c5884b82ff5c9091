"""What an API key may be allowed to do."""

__all__ = ["SCOPES"]

SCOPES = frozenset(
    [
        "buyers:read",
        "buyers:write",
        "disputes:read",
        "disputes:write",
        "events:read",
        "events:write",
        "payments:read",
        "payments:write",
        "payouts:read",
        "payouts:write",
        "refunds:read",
        "refunds:write",
        "sellers:read",
        "sellers:write",
        "wallets:read",
        "wallets:write",
        "webhooks:read",
        "webhooks:write",
    ]
)
