"""The console's pages of what every module shares."""

from collections import Counter
from datetime import timedelta
from typing import Any

from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from core import admin_alerts, admin_trail, clock, dead_letters
from core import admin_exports as exports
from core.admin_base import ReadOnlyAdmin, ServiceAction
from core.admin_display import amount, person, state, text
from core.admin_filters import NumberedSinceFilter
from core.admin_pages import FindsRows, ReportsAdmin
from core.admin_site import site
from core.ids import as_uuid, parse_public_id
from core.models import (
    Approval,
    AuditResult,
    AuditRun,
    Case,
    DeadLetter,
    JobRun,
    Setting,
    StatusChange,
)
from core.verdicts import latest_verdicts

__all__ = ["admin_alerts", "admin_trail"]

_LOOKS = {
    "PENDING": "waiting",
    "OPEN": "waiting",
    "ASSIGNED": "progress",
    "APPROVED": "done",
    "CLOSED": "done",
    "REPLAYED": "done",
    "REJECTED": "failed",
    "VOID": "over",
    "EXPIRED": "over",
    "DROPPED": "over",
}


class _StateColumn:
    """Shows a state the way all states are shown."""

    @display(description=_("State"))
    def shown_state(self, row: Any) -> Any:
        """The state with its icon."""
        return state(row.status, _LOOKS[row.status])


@register(Approval, site=site)
class ApprovalAdmin(_StateColumn, ReadOnlyAdmin):
    """Who asked for what, and who decided. Decisions are made on the page of the thing itself."""

    list_display = (
        "requested_at",
        "action",
        "subject",
        "shown_state",
        "asked_by",
        "decided_by",
        "expires_at",
    )
    list_filter = ("status",)
    search_fields = ("subject__exact",)
    search_help_text = _("The whole subject, for example po_…")
    people = ("maker", "checker")
    exclude = ("digest", "status", "maker", "checker")
    readonly_fields = ("shown_state", "asked_by", "decided_by", "fingerprint")
    export_columns = exports.APPROVALS
    empty_says = _("Nobody has asked for a second person's yes.")

    @display(description=_("Asked by"))
    def asked_by(self, row: Approval) -> Any:
        """The maker."""
        return person(row, row.maker)

    @display(description=_("Decided by"))
    def decided_by(self, row: Approval) -> Any:
        """The checker."""
        return person(row, row.checker or "")

    @display(description=_("SHA-256 of the instruction"))
    def fingerprint(self, row: Approval) -> str:
        """What exactly was approved."""
        return bytes(row.digest).hex()


@register(Case, site=site)
class CaseAdmin(_StateColumn, ReadOnlyAdmin):
    """What a person must look at."""

    list_display = (
        "opened_at",
        "kind",
        "subject",
        "shown_summary",
        "at_risk",
        "shown_state",
        "owned_by",
        "due_at",
    )
    list_filter = ("status",)
    search_fields = ("subject__exact",)
    search_help_text = _("The whole subject, for example pay_…")
    people = ("owner",)
    exclude = ("status", "owner", "value_minor", "currency")
    readonly_fields = ("shown_state", "at_risk", "owned_by")
    export_columns = exports.CASES
    empty_says = _("Nothing waits for an explanation.")

    @display(description=_("Summary"))
    def shown_summary(self, row: Case) -> Any:
        """The beginning of the summary."""
        return text(row.summary)

    @display(description=_("Value at risk"))
    def at_risk(self, row: Case) -> Any:
        """How much money it is about."""
        return amount(row.value_minor, row.currency)

    @display(description=_("Owner"))
    def owned_by(self, row: Case) -> Any:
        """Who works on it."""
        return person(row, row.owner)


def _replay(*, row: DeadLetter, actor: str, reason: str) -> None:
    dead_letters.replay(dead_letter_id=row.pk, actor=actor, reason=reason)


def _drop(*, row: DeadLetter, actor: str, reason: str) -> None:
    dead_letters.drop(dead_letter_id=row.pk, actor=actor, reason=reason)


@register(DeadLetter, site=site)
class DeadLetterAdmin(_StateColumn, ReadOnlyAdmin):
    """Work that failed for good."""

    list_display = ("died_at", "queue", "subject", "shown_error", "attempts", "shown_state", "decided")
    list_filter = ("status",)
    search_fields = ("subject__exact", "queue__exact")
    search_help_text = _("The whole subject or queue, for example op_…")
    people = ("decided_by",)
    exclude = ("status", "decided_by")
    readonly_fields = ("shown_state", "decided")
    export_columns = exports.DEAD_LETTERS
    empty_says = _("No work has failed for good.")
    service_actions = (
        ServiceAction(
            name="replay",
            label=_("Replay"),
            icon="replay",
            says=_(
                "The work becomes due again and is tried at once, with the keys of the first try, so that it"
                " cannot happen twice."
            ),
            done=_("The work is due again."),
            permission="core.change_deadletter",
            run=_replay,
            applies=lambda row: row.status == "OPEN" and dead_letters.can_replay(row.queue),
        ),
        ServiceAction(
            name="drop",
            label=_("Drop"),
            icon="delete_sweep",
            says=_("The work will never be done by the system. Nothing that happened already is undone."),
            done=_("The dead letter was dropped."),
            permission="core.change_deadletter",
            run=_drop,
            applies=lambda row: row.status == "OPEN",
            is_dangerous=True,
        ),
    )

    @display(description=_("Error"))
    def shown_error(self, row: DeadLetter) -> Any:
        """The beginning of the error."""
        return text(row.error)

    @display(description=_("Decided by"))
    def decided(self, row: DeadLetter) -> Any:
        """Who replayed or dropped it."""
        return person(row, row.decided_by)


@register(JobRun, site=site)
class JobRunAdmin(ReadOnlyAdmin):
    """Each scheduled job, once per scope and business date."""

    list_display = ("business_date", "job", "scope", "shown_state", "attempts", "started_at", "finished_at")
    list_filter = ("business_date",)
    search_fields = ("job__exact", "scope__exact")
    search_help_text = _("The whole name of a job, or a scope")
    readonly_fields = ("shown_state",)
    export_columns = exports.JOB_RUNS
    empty_says = _("No scheduled job has run yet.")

    @display(description=_("State"))
    def shown_state(self, row: JobRun) -> Any:
        """Whether it is done, or being done now, or to be begun again."""
        if row.finished_at:
            return state("DONE", "done")
        return state("RUNNING", "progress") if row.leased_until > clock.now() else state("OPEN", "waiting")


@register(Setting, site=site)
class SettingAdmin(ReadOnlyAdmin):
    """Every version of every value that people change while the system runs."""

    list_display = ("created_at", "name", "scope", "version", "value", "effective_at", "changed_by", "reason")
    search_fields = ("name__exact", "scope__exact")
    search_help_text = _("The whole name of a setting, or a scope")
    people = ("actor",)
    exclude = ("actor",)
    readonly_fields = ("changed_by",)
    export_columns = exports.SETTINGS
    empty_says = _("Every setting has its default value.")

    @display(description=_("Changed by"))
    def changed_by(self, row: Setting) -> Any:
        """Who changed it."""
        return person(row, row.actor)


@register(StatusChange, site=site)
class StatusChangeAdmin(FindsRows, ReadOnlyAdmin):
    """The history of every object, in one list."""

    list_display = ("recorded_at", "subject_type", "subject_id", "from_state", "to_state", "who", "reason")
    list_filter = (NumberedSinceFilter,)
    search_fields = ("subject_id",)
    search_help_text = _("The whole id of an object, for example pay_…")
    people = ("actor",)
    exclude = ("actor",)
    readonly_fields = ("who",)
    export_columns = exports.STATUS_CHANGES
    empty_says = _("Nothing has changed its state yet.")

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Find the history of one object, by its id as people see it or as the list shows it."""
        subject = parse_public_id(term, term.partition("_")[0]) or as_uuid(term)
        return queryset.filter(subject_id=subject) if subject else queryset.none()

    @display(description=_("Who"))
    def who(self, row: StatusChange) -> Any:
        """The actor."""
        return person(row, row.actor)


def _age(age: timedelta | None) -> str:
    """Say how long ago something was, in words."""
    if age is None:
        return gettext("never")
    if age < timedelta(minutes=1):
        return gettext("just now")
    now = clock.now()
    return gettext("%(age)s ago") % {"age": timesince(now - age, now)}


_VERDICTS = {
    "violated": ("VIOLATED", "failed"),
    "failed": ("COULD_NOT_BE_EXAMINED", "failed"),
    "never": ("NEVER_CHECKED", "waiting"),
    "not_exercised": ("NOT_EXERCISED", "neutral"),
    "clean": ("CLEAN", "done"),
}


class AuditResultInline(TabularInline):  # type: ignore[misc]
    """The verdicts of one run."""

    model = AuditResult
    fields = readonly_fields = ("name", "verdict_shown", "violations", "sample", "milliseconds")
    ordering = ("name",)
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Verdicts are written by the runner."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Verdicts are not changed."""
        return False

    @display(description=_("Verdict"))
    def verdict_shown(self, row: AuditResult) -> Any:
        """Clean, violated or not exercised."""
        return state(*_VERDICTS[row.verdict])


@register(AuditRun, site=site)
class AuditRunAdmin(ReportsAdmin):
    """Each pass over the invariants, with its verdicts; and the last verdict on each of them."""

    list_display = ("started_at", "finished_at", "shown_verdict")
    list_filter = ("is_clean",)
    exclude = ("is_clean",)
    readonly_fields = ("shown_verdict",)
    inlines = (AuditResultInline,)
    export_columns = exports.AUDIT_RUNS
    empty_says = _("The invariants have not been checked yet.")
    reports = {"latest": "latest"}

    @display(description=_("Verdict"))
    def shown_verdict(self, row: AuditRun) -> Any:
        """Clean or broken."""
        return state("CLEAN", "done") if row.is_clean else state("BROKEN", "failed")

    def latest(self, request: HttpRequest) -> HttpResponse:
        """The last verdict on every invariant, those that need a person first."""
        found = latest_verdicts()
        counts = Counter(each.verdict for each in found)
        context = {
            "verdicts": [
                {"shown": state(*_VERDICTS[each.verdict]), "age": _age(each.age), "it": each}
                for each in found
            ],
            "counts": [
                {"shown": state(word, look), "number": counts[verdict]}
                for verdict, (word, look) in _VERDICTS.items()
                if counts[verdict]
            ],
        }
        return self.show(request, "core/verdicts.html", gettext("What the books are checked for"), context)
