"""A page with a form that calls one service."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from core.admin_pages import PageAdmin
from core.audit_trail import user_actor
from core.errors import DomainError
from core.models import User
from core.sign_in import CodeRefused, check_code
from core.transactions import at_edge

__all__ = ["FormPages"]


class FormPages(PageAdmin):
    """Pages of our own where a form is sent to a service; what the service refuses is shown in the form."""

    def require(self, request: HttpRequest, *rights: str) -> None:
        """Raise PermissionDenied unless the person may look here and has these rights."""
        if not self.has_view_permission(request) or not request.user.has_perms(rights):
            raise PermissionDenied

    def send(
        self,
        request: HttpRequest,
        form: forms.Form,
        work: Callable[[str], Any],
        *,
        done: Any,
        to: Callable[[Any], str],
    ) -> HttpResponse | None:
        """Call `work(actor)` in a transaction if the form was sent and is complete.

        Returns the redirect to `to(what work returned)`, or None: then the page is to be shown.
        """
        found = self.attempt(request, form, work)
        if found is None:
            return None
        messages.success(request, done)
        return redirect(to(found))

    def attempt(self, request: HttpRequest, form: forms.Form, work: Callable[[str], Any]) -> Any:
        """Return what `work(actor)` returned if the form was complete and not refused, else None.

        A form with a field named `code` asks for a fresh one-time code, which is checked first.
        """
        if request.method != "POST" or not form.is_valid():
            return None
        user = request.user
        assert isinstance(user, User)
        try:
            if "code" in form.fields:
                check_code(request, form.cleaned_data["code"])
            return at_edge(work)(user_actor(user))
        except CodeRefused as error:
            form.add_error("code", error.message)
        except DomainError as error:
            form.add_error(error.param if error.param in form.fields else None, error.message)
        return None
