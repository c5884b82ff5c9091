"""What all desks share: the frame of the console around a page, and who is at the desk."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from core import clock
from core.admin_site import site
from core.audit_trail import user_actor
from core.models import User

__all__ = ["actor", "require", "show"]


def require(request: HttpRequest, permission: str) -> None:
    """Raise PermissionDenied unless the person has the right."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def actor(request: HttpRequest) -> str:
    """Return the signed-in person as histories name them."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    return user_actor(user)


def show(
    request: HttpRequest, template: str, title: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Return a page in the frame of the console."""
    request.current_app = site.name
    shown = {**site.each_context(request), "title": title, "seen_at": clock.now(), **context}
    return TemplateResponse(request, template, shown, status=status)
