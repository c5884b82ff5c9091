"""Who is calling, as far as the kernel needs to know, and what the caller's key may do."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol, cast
from uuid import UUID

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    # The settings name this module, so importing the views here would be a circle.
    from rest_framework.views import APIView

from core.errors import PermissionDenied

__all__ = ["Caller", "HasScope"]


class Caller(Protocol):
    """What authentication leaves in `request.auth`."""

    @property
    def merchant_id(self) -> UUID: ...
    @property
    def mode(self) -> str: ...
    @property
    def scopes(self) -> Collection[str]: ...
    @property
    def actor(self) -> str: ...


class HasScope(BasePermission):
    """Let a request pass if its key has the scope that the view declares for the method.

    A view without a declared scope is closed: forgetting one must not open a door.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Raise NotAuthenticated or PermissionDenied; return True otherwise."""
        if request.auth is None:
            raise NotAuthenticated()
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in view.allowed_methods:
            return True  # The view answers 405, which tells nothing that is secret.
        scope = getattr(view, "scopes", {}).get(method)
        caller = cast(Caller, request.auth)
        if scope is None or scope not in caller.scopes:
            raise PermissionDenied(f"This key lacks the scope {scope}." if scope else None)
        return True
