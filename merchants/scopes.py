"""What an API key may be allowed to do."""

from collections.abc import Collection

__all__ = ["PRESETS", "SCOPES", "preset_of"]

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

# Named sets for what a store's servers do; a key may have any other subset. A checkout sells, gives back,
# follows what became of it and shows balances; it opens no seller, moves no balance and has nobody told.
PRESETS = {
    "everything": SCOPES,
    "read only": frozenset(scope for scope in SCOPES if scope.endswith(":read")),
    "payments": frozenset(
        [
            "buyers:read",
            "buyers:write",
            "events:read",
            "payments:read",
            "payments:write",
            "refunds:read",
            "refunds:write",
            "sellers:read",
            "wallets:read",
        ]
    ),
    "webhooks": frozenset(["events:read", "events:write", "webhooks:read", "webhooks:write"]),
}


def preset_of(scopes: Collection[str]) -> str | None:
    """Return the name of the preset that has exactly these scopes, if there is one."""
    wanted = frozenset(scopes)
    return next((name for name, preset in PRESETS.items() if preset == wanted), None)
