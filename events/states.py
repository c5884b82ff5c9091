"""The transition tables of what goes in and out."""

from core.fsm import Machine

__all__ = ["DELIVERY", "ENDPOINT", "INBOX", "INBOX_WORK"]

# A quarantined delivery is authentic, but not meant for this channel; no subscriber ever sees it.
INBOX = Machine("webhook_inbox", "RECEIVED", {"RECEIVED": ("QUARANTINED",)})

# PARKED waits for a row of ours that is not committed yet; DEAD waits for a person.
INBOX_WORK = Machine(
    "inbox_work",
    "RECEIVED",
    {
        "RECEIVED": ("PARKED", "DONE", "DEAD"),
        "PARKED": ("DONE", "DEAD"),
        "DEAD": ("RECEIVED",),
    },
)

# PAUSED keeps its backlog, DISABLED ends it: the deliveries that wait are canceled.
ENDPOINT = Machine(
    "webhook_endpoint",
    "ENABLED",
    {"ENABLED": ("PAUSED", "DISABLED"), "PAUSED": ("ENABLED", "DISABLED")},
)

# What was told, or failed, can be sent once more; what was canceled cannot, because its endpoint is gone.
DELIVERY = Machine(
    "webhook_delivery",
    "PENDING",
    {"PENDING": ("DELIVERED", "FAILED", "CANCELED"), "DELIVERED": ("PENDING",), "FAILED": ("PENDING",)},
)
