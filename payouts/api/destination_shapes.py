"""What destinations look like in answers and events."""

from core.api.fields import STORE_ID
from core.api.schemas import (
    COUNTRY,
    CURRENCY,
    TIME,
    EventType,
    boolean,
    constant,
    example_of,
    nullable,
    one_of,
    our_id,
    shape,
    text,
)
from payouts.destinations.accounts import KINDS
from payouts.states import DESTINATION as MACHINE

__all__ = ["DESTINATION", "DESTINATION_EVENTS", "DESTINATION_PATH"]

DESTINATION = shape(
    "destination",
    "An account that a seller is paid out to: what it is recognised by, and never the account itself.",
    {
        "object": constant("destination"),
        "id": our_id("dst"),
        "seller_account": example_of(STORE_ID, "ann"),
        "kind": one_of(KINDS, "An account at a bank, or the seller's own at a payment provider."),
        "country": COUNTRY,
        "currency": CURRENCY,
        "holder_name": nullable(
            text(
                "The first letters of the holder's name; null where only the provider knows.", example="A… B…"
            )
        ),
        "last4": text("What the account ends with.", pattern="^[0-9A-Za-z]{4}$", example="3000"),
        "bank": nullable(text("The bank's BIC or ABA number, where we know it.", example="COBADEFFXXX")),
        "is_default": boolean("Payouts in its currency that name no destination go here."),
        "status": one_of(
            MACHINE.states, "Only a VERIFIED one is paid to; people verify it, not who added it."
        ),
        "usable_from": TIME,
        "created_at": TIME,
    },
)
DESTINATION_PATH = {
    "reference": text("The seller_account, or our sel_… id.", example="ann"),
    "destination": our_id("dst", "The destination's id."),
}
_TOLD = {
    "added": "An account was added. Tell the seller, over a contact older than it. Nothing is sent there"
    " before `usable_from`.",
    "verified": "The account was found to be the seller's. Nothing is sent there before `usable_from`.",
    "rejected": "The account is not the seller's, or does not exist: nothing is sent there.",
    "removed": "The account was taken away: nothing is sent there any more.",
}
DESTINATION_EVENTS = {f"destination.{what}": EventType(about, DESTINATION) for what, about in _TOLD.items()}
