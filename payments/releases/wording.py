"""What an order's release waits for, in words for people."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.releases.plan import Wait
from payments.releases.reading import WaitingOrder

__all__ = ["waiting_words"]

_WORDS = {
    "fulfillment": gettext_lazy("the store to say that it was delivered"),
    "reported": gettext_lazy("a settlement report of the provider"),
    "banked": gettext_lazy("the money on a bank statement"),
}


def waiting_words(order: WaitingOrder) -> str:
    """Return why what is left of an order is not released yet; empty when nothing is left."""
    if not order.unreleased_minor:
        return ""
    if order.is_stopped:
        return _("Stopped: the release failed, see the dead letters")
    if not order.waits:
        return _("Due: it is released with the next pass")
    times = [_one(wait) for wait in order.waits if wait.what in ("delay", "fulfillment")]
    proofs = [_one(wait) for wait in order.waits if wait.what not in ("delay", "fulfillment")]
    # Both times together: whichever comes first.
    missing = [f" {_('or')} ".join(times), *proofs] if times else proofs
    return f"{_('Waits for')} " + f" {_('and')} ".join(missing)


def _one(wait: Wait) -> str:
    if wait.what == "delay" and wait.until is not None:
        return _("the settlement delay, until %(at)s UTC") % {"at": f"{wait.until:%Y-%m-%d %H:%M}"}
    return str(_WORDS[wait.what])
