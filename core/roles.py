"""The roles of people in the console, and how a migration gives them rights.

Rights are granted by migrations, so that an installation's roles are the same everywhere and a review
sees who may do what. Only a superuser puts people into roles.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.migrations import RunPython

__all__ = [
    "AUDITOR",
    "FINANCE_CHECKER",
    "FINANCE_MAKER",
    "MONEY_ROLES",
    "OPERATOR",
    "RISK",
    "ROLES",
    "SUPPORT",
    "grant",
    "grant_named",
]

SUPPORT = "support"
FINANCE_MAKER = "finance_maker"
FINANCE_CHECKER = "finance_checker"
RISK = "risk"
OPERATOR = "operator"
AUDITOR = "auditor"
ROLES = (SUPPORT, FINANCE_MAKER, FINANCE_CHECKER, RISK, OPERATOR, AUDITOR)
# Roles that can move money or change what moves it: no entry without a one-time code.
MONEY_ROLES = frozenset([FINANCE_MAKER, FINANCE_CHECKER, RISK, OPERATOR])

Rights = Mapping[str, Mapping[str, Sequence[str]]]


def grant(app_label: str, rights: Rights) -> RunPython:
    """Return the migration operation that gives roles rights on models of one app.

    `rights` is {role: {model name in lower case: ["view", "change", …]}}. Permissions are created here
    when they do not exist yet, because Django makes them only after all migrations.
    """

    def forwards(apps: Any, schema_editor: Any) -> None:
        for role, models in rights.items():
            group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
            for model, actions in models.items():
                group.permissions.add(*(_permission(apps, app_label, model, action) for action in actions))

    def backwards(apps: Any, schema_editor: Any) -> None:
        for role, models in rights.items():
            group = apps.get_model("auth", "Group").objects.get(name=role)
            for model, actions in models.items():
                group.permissions.remove(*(_permission(apps, app_label, model, action) for action in actions))

    return RunPython(forwards, backwards)


def grant_named(app_label: str, model: str, codename: str, name: str, roles: Sequence[str]) -> RunPython:
    """Return the migration operation that gives roles one right of a model's `Meta.permissions`."""

    def right(apps: Any) -> Any:
        content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
            app_label=app_label, model=model
        )
        permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
            content_type=content_type, codename=codename, defaults={"name": name}
        )
        return permission

    def groups(apps: Any) -> Any:
        return apps.get_model("auth", "Group").objects.filter(name__in=roles)

    def forwards(apps: Any, schema_editor: Any) -> None:
        for group in groups(apps):
            group.permissions.add(right(apps))

    def backwards(apps: Any, schema_editor: Any) -> None:
        for group in groups(apps):
            group.permissions.remove(right(apps))

    return RunPython(forwards, backwards)


def _permission(apps: Any, app_label: str, model: str, action: str) -> Any:
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label=app_label, model=model
    )
    name = f"Can {action} {apps.get_model(app_label, model)._meta.verbose_name}"
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename=f"{action}_{model}", defaults={"name": name}
    )
    return permission
