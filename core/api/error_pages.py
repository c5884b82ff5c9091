"""The page that `doc_url` of an error leads to."""

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_safe

from core.api.error_catalogue import declared_errors

__all__ = ["error_catalogue"]


@require_safe
def error_catalogue(request: HttpRequest) -> HttpResponse:
    """Show every error code, its status and its meaning; each code is an anchor."""
    return HttpResponse(_page())


@cache
def _page() -> str:
    rows = format_html_join(
        "\n",
        '<tr id="{0}"><td><code>{0}</code></td><td>{1}</td><td>{2}</td></tr>',
        ((error.code, error.status, error.message) for error in declared_errors()),
    )
    return format_html(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Errors</title><h1>Errors</h1>'
        "<table><tr><th>code</th><th>status</th><th>meaning</th></tr>{}</table></html>",
        rows,
    )
