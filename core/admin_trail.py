"""The audit trail in the console: found by who, what, object and time; each line with object and seal."""

import json
from typing import Any

from django.contrib.admin import SimpleListFilter, display, register
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin_display import name_people, person, state, text
from core.admin_exports import AUDIT_RECORDS
from core.admin_filters import NumberedSinceFilter, distinct_values
from core.admin_pages import FindsRows, PageAdmin
from core.admin_places import place_of
from core.admin_site import site
from core.audit_trail import user_actor
from core.models import AuditRecord, AuditSeal, User

__all__: list[str] = []

_MOST = 200


class ActionFilter(SimpleListFilter):
    """What was done."""

    title = _("what")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every action that was ever recorded."""
        return [(action, action) for action in distinct_values(AuditRecord, "action")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the lines of the action."""
        return queryset.filter(action=self.value()) if self.value() else queryset


class ActorFilter(SimpleListFilter):
    """Who did it."""

    title = _("who")
    parameter_name = "actor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The system, and the people of the console, by name; keys are searched for."""
        people = User.objects.filter(is_staff=True).order_by("username")[:_MOST]
        return [("system", _("the system")), *((user_actor(each), each.username) for each in people)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the lines of the actor."""
        return queryset.filter(actor=self.value()) if self.value() else queryset


@register(AuditRecord, site=site)
class AuditRecordAdmin(FindsRows, PageAdmin):
    """Who did what. Nobody can change a line."""

    list_display = ("seq", "recorded_at", "who", "action", "shown_subject", "shown_reason")
    list_filter = (ActorFilter, ActionFilter, NumberedSinceFilter)
    export_columns = AUDIT_RECORDS
    search_fields = ("subject__exact",)
    search_help_text = _("The whole subject, for example po_…, or a user name, or an actor such as key:…")
    people = ("actor", "subject")
    empty_says = _("Nobody has done anything yet.")
    page_template = "core/audit_record.html"

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Find what was done to an object, or by somebody."""
        if "\x00" in term:
            return queryset.none()
        done_to = queryset.filter(subject=term)
        if done_to.exists():
            return done_to
        user = User.objects.filter(username=term).first()
        return queryset.filter(actor=user_actor(user) if user else term)

    @display(description=_("Who"))
    def who(self, row: AuditRecord) -> Any:
        """The actor."""
        return person(row, row.actor)

    @display(description=_("Subject"))
    def shown_subject(self, row: AuditRecord) -> Any:
        """What it was done to."""
        return person(row, row.subject)

    @display(description=_("Reason"))
    def shown_reason(self, row: AuditRecord) -> Any:
        """The beginning of the reason."""
        return text(row.reason)

    def page_title(self, row: AuditRecord) -> str:
        """The number and the action."""
        return f"{row.seq} · {row.action}"

    def page_context(self, request: HttpRequest, row: AuditRecord) -> dict[str, Any]:
        """The line, its object, what it was before and after, and the block that it is sealed in."""
        name_people([row], self.people)
        seal = AuditSeal.objects.filter(last_seq__gte=row.seq).order_by("last_seq").first()
        before, after = row.detail.get("before"), row.detail.get("after")
        both = isinstance(before, dict) and isinstance(after, dict)
        rest = {key: value for key, value in row.detail.items() if not (both and key in ("before", "after"))}
        return {
            "who": person(row, row.actor),
            "subject": person(row, row.subject),
            "place": place_of(row.subject),
            "changes": _changes(before, after) if both else [],
            "rest": json.dumps(rest, indent=2, ensure_ascii=False, sort_keys=True) if rest else "",
            "seal": seal,
            "seal_hash": bytes(seal.hash).hex() if seal else "",
            "sealed": state("SEALED", "done") if seal else state(gettext("Not sealed yet"), "waiting"),
        }


def _changes(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    names = dict.fromkeys([*before, *after])
    return [
        {
            "name": name.replace("_", " "),
            "before": before.get(name, ""),
            "after": after.get(name, ""),
            "is_changed": before.get(name) != after.get(name),
        }
        for name in names
    ]
