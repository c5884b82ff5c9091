"""Values that people change while the system runs: declared in code, versioned and dated in the database.

Nothing is overwritten: a change is a new version that begins to hold at a moment, with who and why.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from core import clock
from core.audit_trail import record_audit, required_reason
from core.errors import DomainError
from core.models import Setting
from core.transactions import UNIQUE_VIOLATION, requires_transaction, sqlstate

__all__ = [
    "Declared",
    "SettingChangedMeanwhile",
    "SettingInvalid",
    "SettingUnknown",
    "declare",
    "declared",
    "get_setting",
    "get_settings",
    "get_settings_by_scope",
    "put_setting",
]

_DECLARED: dict[str, "Declared"] = {}


class SettingUnknown(DomainError):
    code = "setting_unknown"
    status = 404
    message = "No setting has this name."


class SettingInvalid(DomainError):
    code = "setting_invalid"
    status = 422
    message = "The setting cannot have this value."


class SettingChangedMeanwhile(DomainError):
    code = "setting_changed_meanwhile"
    status = 409
    message = "Somebody changed this setting at the same moment. Look at it again."


@dataclass(frozen=True)
class Declared:
    """A setting that exists: its JSON type, its value when nobody set it, and what it means.

    `check` raises ValueError, with a sentence for people, for a value of the right type that makes no
    sense. Amounts are whole minor units and rates whole basis points: there are no floats.
    """

    name: str
    says: str
    kind: type[int] | type[str] | type[bool] | type[list[Any]] | type[dict[str, Any]]
    default: Any
    check: Callable[[Any], None] | None = None

    def validate(self, value: Any) -> None:
        """Raise SettingInvalid unless the value may be stored."""
        if type(value) is not self.kind:
            raise SettingInvalid(f"{self.name} must be of type {self.kind.__name__}.", param="value")
        if self.check is not None:
            try:
                self.check(value)
            except ValueError as error:
                raise SettingInvalid(f"{self.name}: {error}", param="value") from error


def declare(*settings: Declared) -> None:
    """Make settings known; apps call it in `ready()`. Raises ValueError for a name that is taken."""
    for setting in settings:
        setting.validate(setting.default)
        if _DECLARED.setdefault(setting.name, setting) != setting:
            raise ValueError(f"two settings are called {setting.name}")


def declared() -> list[Declared]:
    """Return every declared setting, by name."""
    return [_DECLARED[name] for name in sorted(_DECLARED)]


def get_setting(*, name: str, scope: str = "", at: datetime | None = None) -> Any:
    """Return the value that holds at a moment, which is now unless it is given.

    The scope's own value comes first, then the common one, then the default. Errors: SettingUnknown.
    """
    return get_settings(names=[name], scope=scope, at=at)[name]


def get_settings(*, names: Collection[str], scope: str = "", at: datetime | None = None) -> dict[str, Any]:
    """Return several values as `get_setting` does, with one look. Errors: SettingUnknown."""
    values = {name: _known(name).default for name in names}
    rows = Setting.objects.filter(
        name__in=names, scope__in=dict.fromkeys([scope, ""]), effective_at__lte=at or clock.now()
    )
    newest = rows.order_by("name", "scope", "-effective_at", "-version").distinct("name", "scope")
    # In the order of the scopes, so that the scope's own value comes after the common one.
    return values | dict(newest.values_list("name", "value"))


def get_settings_by_scope(*, prefix: str, at: datetime | None = None) -> dict[str, dict[str, Any]]:
    """Return what was set of the settings whose names begin so, by scope and name, with one look.

    Defaults are left out. For settings that many requests need: read once, they serve all of them.
    """
    rows = Setting.objects.filter(name__startswith=prefix, effective_at__lte=at or clock.now())
    newest = rows.order_by("name", "scope", "-effective_at", "-version").distinct("name", "scope")
    found: dict[str, dict[str, Any]] = {}
    for name, scope, value in newest.values_list("name", "scope", "value"):
        found.setdefault(scope, {})[name] = value
    return found


@requires_transaction
def put_setting(
    *,
    name: str,
    value: Any,
    actor: str,
    reason: str,
    scope: str = "",
    effective_at: datetime | None = None,
) -> Setting:
    """Store a new version that holds from `effective_at` (now by default), and write it to the audit trail.

    Errors: SettingUnknown, SettingInvalid (also for a moment in the past), ReasonRequired,
    SettingChangedMeanwhile.
    """
    _known(name).validate(value)
    reason = required_reason(reason)
    now = clock.now()
    if effective_at is not None and effective_at < now:
        raise SettingInvalid("A setting cannot begin to hold in the past.", param="effective_at")
    before = get_setting(name=name, scope=scope, at=now)
    newest = Setting.objects.filter(name=name, scope=scope).aggregate(newest=Max("version"))["newest"]
    row = Setting(
        name=name,
        scope=scope,
        version=(newest or 0) + 1,
        value=value,
        effective_at=effective_at or now,
        actor=actor,
        reason=reason,
        created_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise
        raise SettingChangedMeanwhile from error
    record_audit(
        actor=actor,
        action="setting.put",
        subject=f"{name}:{scope}" if scope else name,
        reason=reason,
        detail={
            "version": row.version,
            "from": before,
            "to": value,
            "effective_at": row.effective_at.isoformat(),
        },
    )
    return row


def _known(name: str) -> Declared:
    try:
        return _DECLARED[name]
    except KeyError:
        raise SettingUnknown(f"No setting is called {name}.", param="name") from None
