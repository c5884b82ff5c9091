"""Why a payment or a refund failed, as answers and events tell it."""

from core.api.schemas import boolean, nullable, shape, text

__all__ = ["FAILURE"]

FAILURE = shape(
    "failure",
    "Why a payment failed.",
    {
        "code": text(
            "One of ours, the same for every provider; errors.md lists them.", example="card_declined"
        ),
        "message": text("Fit for the buyer's eyes.", example="The card was declined."),
        "decline_code": nullable(text("The provider's own word.", example="generic_decline")),
        "retryable": boolean("Another try can help: later, with another card, or with the buyer present."),
    },
)
