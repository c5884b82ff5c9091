"""Every error a caller can meet, gathered from the code, for the documentation and for tests."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from django.apps import apps
from django.conf import settings

from core.errors import DomainError, catalogue

__all__ = ["as_markdown", "declared_errors", "project_apps"]

_RETRY = {
    408: "yes, with the same key",
    429: "yes, after Retry-After",
    500: "yes, with the same key",
    503: "yes, after Retry-After, with the same key",
}
_HEADER = """# Errors

Every error has this body, and `Request-Id` is also a header of every answer:

```json
{"error": {"type": "…", "code": "…", "message": "…", "param": "…", "doc_url": "…", "request_id": "…"}}
```

Decide by `code`: codes are stable, messages are for people and may change. `param` is the JSON path of
the field (`payment_orders[2].amount`) or the name of the query parameter, else null.

This page is written by `manage.py document_errors`.

| code | status | type | try again | meaning |
|---|---|---|---|---|
"""


def project_apps() -> list[str]:
    """Return the packages of this project's own apps, in the order of INSTALLED_APPS."""
    root = Path(settings.BASE_DIR)
    return [app.name for app in apps.get_app_configs() if Path(app.path).parent == root]


def declared_errors() -> Iterator[type[DomainError]]:
    """Yield every error class of the project, after importing all modules that could declare one."""
    names = project_apps()
    for name in names:
        package = import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not {"migrations", "management"} & set(module.name.split(".")):
                import_module(module.name)
    yield from (error for error in catalogue() if error.__module__.split(".")[0] in names)


def as_markdown() -> str:
    """Return the reference page of all errors."""
    rows = [
        f"| `{error.code}` | {error.status} | `{error().type}` | {_RETRY.get(error.status, 'no')} "
        f"| {error.message} |"
        for error in declared_errors()
    ]
    return _HEADER + "\n".join(rows) + "\n"
