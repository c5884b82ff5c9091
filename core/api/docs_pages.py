"""Pages that show the description of the API to people. Everything on them comes from this host."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

__all__ = ["explorer", "reference"]


@require_safe
def explorer(request: HttpRequest) -> HttpResponse:
    """Show every operation with a form to try it (Swagger UI)."""
    return render(request, "docs/explorer.html")


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """Show the reference to read (Redoc)."""
    return render(request, "docs/reference.html")
