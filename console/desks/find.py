"""The search of the header: one name, and the page of what it means."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from console.frame import require, show
from console.timeline.finding import find

__all__ = ["search"]


def search(request: HttpRequest) -> HttpResponse:
    """Go to what is called so; where that is several things, or none, say which."""
    require(request, "payments.view_paymentevent")
    term = request.GET.get("q", "").strip()
    found = find(term, may=request.user.has_perm)
    if len(found) == 1:
        return redirect(found[0].url)
    return show(request, "console/find.html", _("Find"), {"find_term": term, "found": found})
