"""What desks do alike: a reason is asked for, a button calls a service, and a second person decides."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from console.frame import actor, require
from core.errors import DomainError
from core.ids import parse_public_id
from core.models import Approval

__all__ = ["ReasonForm", "act", "asked_for", "decide", "neighbours", "reason_field"]


# A text, or one that is translated when it is shown.
Words = Any
_REASON: Words = gettext_lazy("Reason")


def reason_field(*, label: Words = _REASON, max_length: int = 500, rows: int = 3) -> forms.CharField:
    """Return a field for why something is done, which the service behind a button may insist on."""
    return forms.CharField(
        label=label,
        max_length=max_length,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": rows}),
        help_text=gettext_lazy("It is kept in the audit trail with your name."),
    )


class ReasonForm(forms.Form):
    """Why."""

    reason = reason_field()


def asked_for(reference: str, prefix: str) -> UUID | None:
    """Return the key of the object that a desk's address names, None where it names none.

    Raises Http404 for what is no id of the kind.
    """
    key = parse_public_id(reference, prefix) if reference else None
    if reference and key is None:
        raise Http404
    return key


def act(
    request: HttpRequest,
    form: forms.Form,
    *,
    needs: Mapping[str, str],
    done: Mapping[str, Words],
    run: Callable[[str, dict[str, Any]], str],
    back: str,
    field_of: Callable[[str | None], str | None] = lambda param: param,
) -> HttpResponse | None:
    """Call the service behind the button that was pressed; None when the form has something to correct.

    `needs` is the right for each button. `run` gets the button and what was said, and returns which of `done`
    is true now, empty for none. What the service refuses stands at the field that `field_of` names for its
    parameter, or above the page at `back`. Raises Http404 for no such button, PermissionDenied.
    """
    what = request.POST.get("action", "")
    if what not in needs:
        raise Http404
    require(request, needs[what])
    if not form.is_valid():
        return None
    try:
        said = run(what, form.cleaned_data)
    except DomainError as error:
        field = field_of(error.param)
        if field in form.fields:
            form.add_error(field, error.message)
            return None
        messages.error(request, error.message)
        said = ""
    if said:
        messages.success(request, done[said])
    return redirect(back)


def decide(
    request: HttpRequest,
    waiting: Sequence[Approval],
    *,
    is_yes: bool,
    service: Callable[[Approval, str], Any],
    may_withdraw: bool = True,
) -> Any:
    """Say yes or no to the very request that was on the page, never to one that came after it.

    `service` gets the request and who decides; what it returns is returned, None when the request is not
    among those `waiting` any more. Who made a request can't say yes to it, nor no unless `may_withdraw`:
    raises PermissionDenied.
    """
    by, shown = actor(request), request.POST.get("approval", "")
    approval = next((each for each in waiting if str(each.pk) == shown), None)
    if approval is None:
        messages.warning(request, _("The request changed meanwhile; nothing was done. Read it again."))
        return None
    if by == approval.maker and (is_yes or not may_withdraw):
        raise PermissionDenied(_("A second person must decide this."))
    return service(approval, by)


def neighbours(lines: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the subjects before and after the chosen line of a queue, empty where there is none."""
    place = next((n for n, line in enumerate(lines) if line["is_chosen"]), None)
    return {
        "before": lines[place - 1]["subject"] if place else "",
        "after": lines[place + 1]["subject"] if place is not None and place + 1 < len(lines) else "",
    }
