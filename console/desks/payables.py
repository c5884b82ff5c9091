"""Where the console shows what a charge pays: a checkout, or a top-up of a wallet."""

from uuid import UUID

from django.urls import reverse

from core.ids import public_id
from payments.selectors import Chapter, story_of, top_up_story

__all__ = ["payable_story", "payable_url"]


def payable_url(*, checkout_id: UUID | None, top_up_id: UUID | None) -> str:
    """Return the address of its page."""
    if top_up_id is not None:
        return reverse("admin:payments_topup_change", args=[top_up_id])
    assert checkout_id is not None, "a charge is of a checkout or of a top-up"
    return reverse("console:payment", args=[public_id("chk", checkout_id)])


def payable_story(*, merchant_id: UUID, checkout_id: UUID | None, top_up_id: UUID | None) -> list[Chapter]:
    """Return the chapters of what happened to it."""
    if top_up_id is not None:
        return top_up_story(merchant_id=merchant_id, top_up_id=top_up_id)
    assert checkout_id is not None, "a charge is of a checkout or of a top-up"
    return story_of(merchant_id=merchant_id, checkout_id=checkout_id)
