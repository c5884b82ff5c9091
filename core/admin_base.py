"""The base of every console page: it shows; what changes something is a button that calls a service."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.enums import ActionVariant

from core.admin_display import name_people
from core.admin_keyset import KeysetChangeList
from core.admin_reason import ReasonForm
from core.audit_trail import record_audit, user_actor
from core.errors import DomainError
from core.export_pages import ExportsList
from core.models import User
from core.sign_in import check_code
from core.transactions import at_edge

__all__ = ["ReadOnlyAdmin", "ServiceAction"]


@dataclass(frozen=True)
class ServiceAction:
    """A button on a row's page: it asks for a reason and calls one service, which writes the audit record.

    `run(row=…, actor=…, reason=…)` is called in a transaction; a DomainError is shown to the person.
    `says` spells the consequence out. With `step_up` a fresh one-time code is asked for as well.
    """

    name: str
    label: Any
    icon: str
    says: Any
    done: Any
    permission: str
    run: Callable[..., object]
    applies: Callable[[Any], bool] = lambda row: True
    step_up: bool = False
    is_dangerous: bool = False


class ReadOnlyAdmin(ExportsList, ModelAdmin):  # type: ignore[misc]
    """A list and a page that only show. Nobody, not even a superuser, adds, changes or deletes here."""

    list_per_page = 25
    show_full_result_count = False
    sortable_by: Any = ()
    ordering: Any = ("-pk",)
    actions: Any = None
    service_actions: tuple[ServiceAction, ...] = ()
    # Columns that hold actors (user:<id>), to be shown by name.
    people: tuple[str, ...] = ()
    # Columns of the table that the list neither shows nor exports.
    not_listed: tuple[str, ...] = ()
    empty_says: Any = _("Nothing is here.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows are made by services."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows are changed by services."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the right to view counts here; the right to change a model is for its buttons."""
        return bool(request.user.has_perm(f"{self.opts.app_label}.view_{self.opts.model_name}"))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        """Page by key."""
        return KeysetChangeList

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """Fetch, in one query for the whole page, what its columns show."""
        if self.people:
            name_people(rows, self.people)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a row with the names of its people."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            self.prepare_rows([row])
        return row

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the buttons."""
        view = self.admin_site.admin_view(self.service_action_view)
        pages = [
            path(
                f"<path:object_id>/{each.name}/",
                view,
                {"name": each.name},
                name=f"{self.opts.app_label}_{self.opts.model_name}_{each.name}",
            )
            for each in self.service_actions
        ]
        return pages + super().get_urls()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show the buttons that this person may press on this row."""
        row = kwargs.get("obj") or context.get("original")
        if row is not None:
            context["actions_detail"] = [
                {
                    "title": each.label,
                    "icon": each.icon,
                    "attrs": {},
                    "dialog": None,
                    "variant": ActionVariant.DANGER if each.is_dangerous else ActionVariant.PRIMARY,
                    "path": self._url(each.name, row),
                }
                for each in self.service_actions
                if each.applies(row) and request.user.has_perm(each.permission)
            ]
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[no-any-return]

    def service_action_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Ask for the reason, then call the service. GET only asks."""
        action = next(each for each in self.service_actions if each.name == name)
        if not (request.user.has_perm(action.permission) and self.has_view_permission(request)):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        back = self._url("change", row)
        if not action.applies(row):
            messages.warning(request, _("This was decided meanwhile; nothing was changed."))
            return redirect(back)
        form = ReasonForm(request.POST or None, step_up=action.step_up)
        if request.method == "POST" and form.is_valid():
            try:
                return self._act(request, action, row, form.cleaned_data, back)
            except DomainError as error:
                form.add_error(error.param if error.param in form.fields else None, error.message)
        return self._ask(request, action, row, form, back)

    def _act(
        self, request: HttpRequest, action: ServiceAction, row: Any, answers: dict[str, str], back: str
    ) -> HttpResponseRedirect:
        if action.step_up:
            check_code(request, answers["code"])
        at_edge(action.run)(row=row, actor=user_actor(_signed_in(request)), reason=answers["reason"])
        messages.success(request, action.done)
        return redirect(back)

    def _ask(
        self, request: HttpRequest, action: ServiceAction, row: Any, form: ReasonForm, back: str
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": action.label,
            "opts": self.opts,
            "action": action,
            "original": row,
            "form": form,
            "back": back,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/service_action.html", context)

    def _url(self, name: str, row: Any) -> str:
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}"
        return reverse(page, args=[row.pk], current_app=self.admin_site.name)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """There is one history, which nobody can change: the audit trail."""
        return redirect(reverse("admin:core_auditrecord_changelist"))

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write to the audit trail instead of Django's own log."""
        self._log(request, obj, "add", message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write to the audit trail instead of Django's own log."""
        self._log(request, obj, "change", message)

    def _log(self, request: HttpRequest, obj: Any, verb: str, message: Any) -> None:
        with transaction.atomic():
            record_audit(
                actor=user_actor(_signed_in(request)),
                action=f"{self.opts.model_name}.{verb}",
                subject=user_actor(obj) if isinstance(obj, User) else f"{self.opts.label_lower}:{obj.pk}",
                detail={"changes": message if isinstance(message, list) else [str(message)]},
            )


def _signed_in(request: HttpRequest) -> User:
    user = request.user
    if not user.is_authenticated:
        raise PermissionDenied
    return user
