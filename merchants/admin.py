"""API keys in the console: who has which, what they may do, when they were used; issue, rotate, revoke."""

from datetime import timedelta
from typing import Any

from django.contrib.admin import display, register
from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action

from core import clock
from core.admin_base import ReadOnlyAdmin, ServiceAction
from core.admin_display import state
from core.admin_forms import FormPages
from core.admin_site import site
from merchants import admin_sellers, services
from merchants.admin_exports import API_KEYS, SIGNING_KEYS
from merchants.admin_forms import IssueForm, RotateForm, SigningKeyForm
from merchants.models import ApiKey, SigningKey
from merchants.scopes import preset_of
from merchants.types import IssuedKey

__all__ = ["admin_sellers"]


def _life(row: ApiKey | SigningKey) -> str:
    """Where a key is in its life, as word, icon and colour."""
    now = clock.now()
    if row.revoked_at is not None:
        return state("REVOKED", "failed")
    if row.expires_at is not None and row.expires_at <= now:
        return state("EXPIRED", "over")
    if row.not_before is not None and row.not_before > now:
        return state("NOT_YET_VALID", "neutral")
    return state("EXPIRING", "waiting") if row.expires_at is not None else state("ACTIVE", "done")


def _is_alive(row: ApiKey | SigningKey) -> bool:
    return row.revoked_at is None and (row.expires_at is None or row.expires_at > clock.now())


def _revoke(*, row: ApiKey, actor: str, reason: str) -> None:
    services.revoke_api_key(merchant_id=row.merchant_id, key_id=row.pk, by=actor, reason=reason)


def _revoke_signing(*, row: SigningKey, actor: str, reason: str) -> None:
    services.revoke_signing_key(merchant_id=row.merchant_id, signing_key_id=row.pk, by=actor, reason=reason)


@register(ApiKey, site=site)
class ApiKeyAdmin(FormPages):
    """Every key that was ever issued. Secrets are not here: only a hash of each is kept."""

    list_display = (
        "shown_name",
        "shown_prefix",
        "merchant",
        "shown_life",
        "may",
        "signs",
        "created_at",
        "last_used_at",
    )
    list_filter = ("mode", "must_sign")
    list_select_related = ("merchant",)
    search_fields = ("prefix__exact",)
    search_help_text = gettext_lazy("The ten characters behind sk_test_ or sk_live_, as logs show them")
    export_columns = API_KEYS
    empty_says = gettext_lazy("No store has a key yet. Issue the first one.")
    page_template = "merchants/api_key.html"
    actions_list = ("new_key",)
    service_actions = (
        ServiceAction(
            name="revoke",
            label=gettext_lazy("Revoke"),
            icon="key_off",
            says=gettext_lazy(
                "Every request with this key is refused from now on. It cannot be undone; the store needs"
                " another key to go on."
            ),
            done=gettext_lazy("The key was revoked."),
            permission="merchants.change_apikey",
            run=_revoke,
            applies=lambda row: row.revoked_at is None,
            is_dangerous=True,
        ),
    )

    @display(description=gettext_lazy("Key"))
    def shown_name(self, row: ApiKey) -> str:
        """The name, which is the link to its page."""
        return row.name

    @display(description=gettext_lazy("Begins with"))
    def shown_prefix(self, row: ApiKey) -> str:
        """What tells it from others, and proves nothing."""
        return format_html('<span class="mono">sk_{}_{}…</span>', row.mode, row.prefix)

    @display(description=gettext_lazy("State"))
    def shown_life(self, row: ApiKey) -> str:
        """Where it is in its life."""
        return _life(row)

    @display(description=gettext_lazy("May"))
    def may(self, row: ApiKey) -> str:
        """The preset, or how many scopes."""
        number = len(row.scopes)
        counted = ngettext("%(n)s scope", "%(n)s scopes", number) % {"n": number}
        return preset_of(row.scopes) or counted

    @display(description=gettext_lazy("Unsigned"))
    def signs(self, row: ApiKey) -> str:
        """Whether requests without a signature are refused."""
        return _("refused") if row.must_sign else _("accepted")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that issue, rotate, and take a signing key."""
        view = self.admin_site.admin_view
        return [
            path("issue/", view(self.issue_view), name="merchants_apikey_issue"),
            path("<path:object_id>/rotate/", view(self.rotate_view), name="merchants_apikey_rotate"),
            path("<path:object_id>/sign/", view(self.signing_view), name="merchants_apikey_sign"),
            *super().get_urls(),
        ]

    def has_issue_permission(self, request: HttpRequest) -> bool:
        """A method, because names of permissions would be looked up before there are tables."""
        return bool(request.user.has_perm("merchants.add_apikey"))

    @action(description=gettext_lazy("Issue a key"), icon="add", permissions=["issue"])
    def new_key(self, request: HttpRequest) -> HttpResponse:
        """Lead to the form."""
        return redirect("admin:merchants_apikey_issue")

    def page_context(self, request: HttpRequest, row: ApiKey) -> dict[str, Any]:
        """The key, its signing keys, and what may be done."""
        may = request.user.has_perm
        signing_keys = SigningKey.objects.filter(api_key=row).order_by("-created_at", "-pk")
        may_sign = row.revoked_at is None and may("merchants.add_signingkey")
        return {
            "life": _life(row),
            "prefix": self.shown_prefix(row),
            "may": self.may(row),
            "signing_keys": [
                {
                    "it": each,
                    "life": _life(each),
                    "revoke_url": reverse("admin:merchants_signingkey_revoke", args=[each.pk])
                    if each.revoked_at is None and may("merchants.change_signingkey")
                    else "",
                }
                for each in signing_keys
            ],
            "revoke_url": self._url("revoke", row)
            if row.revoked_at is None and may("merchants.change_apikey")
            else "",
            "rotate_url": self._url("rotate", row) if _is_alive(row) and self._may_rotate(request) else "",
            "sign_url": self._url("sign", row) if may_sign else "",
        }

    def issue_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a new key, then show its secret."""
        self.require(request, "merchants.add_apikey")
        form = IssueForm(request.POST or None)
        names = ("name", "not_before", "expires_at", "public_key", "must_sign", "reason")

        def work(actor: str) -> IssuedKey:
            data = {name: form.cleaned_data[name] for name in names}
            return services.create_api_key(merchant_id=form.merchant_id, scopes=form.scopes, by=actor, **data)

        issued = self.attempt(request, form, work)
        if issued is not None:
            return self._show_secret(request, issued)
        back = reverse("admin:merchants_apikey_changelist")
        return self._ask_form(request, form, _("Issue a key"), _("Issue the key"), back)

    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask how long the old key works on, then show the new one's secret."""
        self.require(request, "merchants.add_apikey", "merchants.change_apikey")
        row = self._row(request, object_id)
        form = RotateForm(request.POST or None)

        def work(actor: str) -> IssuedKey:
            return services.rotate_api_key(
                merchant_id=row.merchant_id,
                key_id=row.pk,
                overlap=timedelta(hours=form.cleaned_data["hours"]),
                by=actor,
                reason=form.cleaned_data["reason"],
            )

        issued = self.attempt(request, form, work)
        if issued is not None:
            return self._show_secret(request, issued)
        title = _("Replace %(key)s") % {"key": row}
        return self._ask_form(request, form, title, _("Issue the new key"), self._url("change", row))

    def signing_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for one more public key to sign with."""
        self.require(request, "merchants.add_signingkey")
        row = self._row(request, object_id)
        form = SigningKeyForm(request.POST or None)
        names = ("public_key", "not_before", "expires_at", "reason")
        sent = self.send(
            request,
            form,
            lambda actor: services.add_signing_key(
                merchant_id=row.merchant_id,
                key_id=row.pk,
                by=actor,
                **{name: form.cleaned_data[name] for name in names},
            ),
            done=_("The signing key is there. The store names it by its serial."),
            to=lambda _added: self._url("change", row),
        )
        title = _("A signing key for %(key)s") % {"key": row}
        return sent or self._ask_form(request, form, title, _("Add the key"), self._url("change", row))

    def _row(self, request: HttpRequest, object_id: str) -> ApiKey:
        row = self.get_object(request, unquote(object_id))
        if not isinstance(row, ApiKey):
            raise Http404
        return row

    def _may_rotate(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perms(["merchants.add_apikey", "merchants.change_apikey"]))

    def _ask_form(self, request: HttpRequest, form: Any, title: str, label: str, back: str) -> HttpResponse:
        context = {"form": form, "label": label, "back": back}
        return self.show(request, "admin/form.html", title, context)

    def _show_secret(self, request: HttpRequest, issued: IssuedKey) -> HttpResponse:
        # Shown by the answer itself, not after a redirect: kept nowhere between, it cannot be read again.
        context = {"issued": issued, "url": reverse("admin:merchants_apikey_change", args=[issued.id])}
        return self.show(request, "merchants/issued.html", _("The new key"), context)


@register(SigningKey, site=site)
class SigningKeyAdmin(ReadOnlyAdmin):
    """Public keys that prove signatures, those that are over included."""

    list_display = ("serial", "api_key", "shown_life", "not_before", "expires_at", "last_used_at")
    list_select_related = ("api_key",)
    fields = readonly_fields = (
        "serial",
        "api_key",
        "algorithm",
        "shown_life",
        "created_at",
        "not_before",
        "expires_at",
        "revoked_at",
        "last_used_at",
        "public_key",
    )
    export_columns = SIGNING_KEYS
    empty_says = gettext_lazy("No store signs its requests.")
    service_actions = (
        ServiceAction(
            name="revoke",
            label=gettext_lazy("Revoke"),
            icon="key_off",
            says=gettext_lazy(
                "Nothing that names this serial is accepted from now on. A key that must sign is useless"
                " without any signing key. If the private key leaked, revoke every serial with this public"
                " key. It cannot be undone."
            ),
            done=gettext_lazy("The signing key was revoked."),
            permission="merchants.change_signingkey",
            run=_revoke_signing,
            applies=lambda row: row.revoked_at is None,
            is_dangerous=True,
        ),
    )

    @display(description=gettext_lazy("State"))
    def shown_life(self, row: SigningKey) -> str:
        """Where it is in its life."""
        return _life(row)
