"""The console's door: a password, then a one-time code, then only what the person's roles allow."""

import base64
import os
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.qr import write_qrcode_image
from unfold.sites import UnfoldAdminSite
from unfold.widgets import UnfoldAdminTextInputWidget

from core import overview
from core.errors import DomainError
from core.models import User
from core.sign_in import check_code, device_of, enrol, may_enter

__all__ = ["QuittanceAdminSite", "environment_badge", "environment_prefix", "site"]

_SECRET_BYTES = 20  # RFC 4226 asks for at least 128 bits and recommends 160.
_SESSION_SECRET = "enrolment_secret"  # noqa: S105 - the name of a session entry
_BADGES = {"LIVE": "danger", "TEST": "warning", "DEV": "info"}


class CodeForm(forms.Form):
    """Six digits."""

    code = forms.RegexField(
        label=_("Code from your authenticator app"),
        regex=r"^\s*\d{3}\s?\d{3}\s*$",
        error_messages={"invalid": _("Enter the six digits that the app shows.")},
        widget=UnfoldAdminTextInputWidget(
            attrs={
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "autofocus": True,
                "maxlength": 8,
                "placeholder": "",
            }
        ),
    )

    def clean_code(self) -> str:
        """Apps show the digits in two groups; people type the gap as well."""
        return "".join(str(self.cleaned_data["code"]).split())


class QuittanceAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """The admin site of the console."""

    site_url = None
    index_title = _("Today")

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in active staff; with a verified code where one is needed."""
        return may_enter(request)

    def get_urls(self) -> list[URLPattern]:
        """Add the two pages of the second step."""
        return [
            path("code/", never_cache(csrf_protect(self.code)), name="code"),
            path("enrol/", never_cache(csrf_protect(self.enrol)), name="enrol"),
            *super().get_urls(),
        ]

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Ask for the password; whoever gave it and still may not enter is sent to the second step."""
        if request.method == "GET" and _is_half_way(request) and not self.has_permission(request):
            return redirect(_with_next(reverse("admin:code"), _next(request)))
        return super().login(request, extra_context)  # type: ignore[no-any-return]

    def code(self, request: HttpRequest) -> HttpResponse:
        """Ask for the one-time code."""
        if not _is_half_way(request):
            return redirect(_with_next(reverse("admin:login"), _next(request)))
        if device_of(_user(request)) is None:
            return redirect(_with_next(reverse("admin:enrol"), _next(request)))
        form = CodeForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                check_code(request, form.cleaned_data["code"])
                return HttpResponseRedirect(_next(request))
            except DomainError as error:
                form.add_error("code", error.message)
        return self._second_step(request, "admin/code.html", _("Second step"), {"form": form})

    def enrol(self, request: HttpRequest) -> HttpResponse:
        """Show a new secret, and add the app once it shows the right code."""
        if not _is_half_way(request):
            return redirect(_with_next(reverse("admin:login"), _next(request)))
        if device_of(_user(request)) is not None:
            return redirect(_with_next(reverse("admin:code"), _next(request)))
        secret = request.session.setdefault(_SESSION_SECRET, os.urandom(_SECRET_BYTES).hex())
        form = CodeForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                enrol(request, key=secret, code=form.cleaned_data["code"])
                del request.session[_SESSION_SECRET]
                return HttpResponseRedirect(_next(request))
            except DomainError as error:
                form.add_error("code", error.message)
        shown = base64.b32encode(bytes.fromhex(secret)).decode()
        context = {"form": form, "secret": _in_groups(shown), "qr": _qr(_user(request), secret)}
        return self._second_step(request, "admin/enrol.html", _("Set up the second step"), context)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Open on the figures of the day, and on what waits for a person."""
        user = _user(request)
        found = {
            "alerts": overview.alerts(user=user),
            "cards": overview.cards(user=user),
            "cases": overview.oldest_cases(user=user),
            **overview.top(request),
        }
        shown = {**found, **(extra_context or {})}
        return super().index(request, shown)  # type: ignore[no-any-return]

    def _second_step(
        self, request: HttpRequest, template: str, title: Any, context: dict[str, Any]
    ) -> HttpResponse:
        base = self.each_context(request)
        status = 403 if context["form"].errors else 200
        shown = {**base, "title": title, "next": _next(request), **context}
        return TemplateResponse(request, template, shown, status=status)


def environment_badge(request: HttpRequest) -> list[str]:
    """Return the badge that says where one is: word and colour."""
    return [settings.ENVIRONMENT, _BADGES.get(settings.ENVIRONMENT, "info")]


def environment_prefix(request: HttpRequest) -> str:
    """Return what browser tabs begin with; nothing where it is live."""
    return "" if settings.ENVIRONMENT == "LIVE" else f"[{settings.ENVIRONMENT}]"


def _is_half_way(request: HttpRequest) -> bool:
    user = request.user
    return bool(user.is_authenticated and user.is_active and user.is_staff)


def _user(request: HttpRequest) -> User:
    return request.user  # type: ignore[return-value]


def _next(request: HttpRequest) -> str:
    """Return where the person wanted to go, if that is on this host."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("admin:index")


def _with_next(url: str, wanted: str) -> str:
    return f"{url}?{urlencode({'next': wanted})}"


def _in_groups(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _qr(user: User, secret: str) -> str:
    image = BytesIO()
    write_qrcode_image(TOTPDevice(user=user, key=secret).config_url, image)
    return "data:image/svg+xml;base64," + base64.b64encode(image.getvalue()).decode()


site = QuittanceAdminSite(name="admin")
