"""What breaks look like in answers and events."""

from collections.abc import Mapping

from core.api.schemas import (
    AMOUNT,
    CURRENCY,
    TIME,
    EventType,
    constant,
    nullable,
    one_of,
    our_id,
    shape,
    text,
)
from reconciliation.breaks import BreakClass, Category
from reconciliation.states import DISCREPANCY

__all__ = ["DISCREPANCY_OBJECT", "EVENTS"]

DISCREPANCY_OBJECT = shape(
    "discrepancy",
    "Something in a provider's file or in our books that the other side does not have, or has otherwise.",
    {
        "object": constant("discrepancy"),
        "id": our_id("dsc"),
        "class": one_of(tuple(str(each) for each in BreakClass), "What differs."),
        "category": one_of(
            tuple(str(each) for each in Category),
            "A: a rule deals with it. B: finance does, by hand. C: somebody finds out first.",
        ),
        "status": one_of(DISCREPANCY.states, "RESOLVED when it is explained."),
        "amount": AMOUNT,
        "currency": CURRENCY,
        "summary": text("One sentence.", example="12.30 EUR: we know of no charge ch_1"),
        "settlement_file": nullable(text("The file that it was found in: stl_….")),
        "business_date": text("The day that it is about.", format="date", example="2026-02-02"),
        "due_at": TIME,
        "resolution": nullable(text("How it ended.", example="its line came")),
        "resolved_at": nullable(TIME),
        "created_at": TIME,
    },
)
EVENTS: Mapping[str, EventType] = {
    "discrepancy.opened": EventType("A break was found.", DISCREPANCY_OBJECT),
    "discrepancy.resolved": EventType("A break is explained, and booked where needed.", DISCREPANCY_OBJECT),
}
