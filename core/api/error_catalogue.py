"""Every error a caller can meet, gathered from the code, for the documentation and for tests."""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from django.apps import apps
from django.conf import settings

from core.api.schemas import FailureCode
from core.errors import DomainError, catalogue

__all__ = ["as_markdown", "declared_errors", "declared_failures", "project_apps"]

_RETRY = {
    408: "yes, with the same key",
    429: "yes, after Retry-After",
    500: "yes, with the same key",
    503: "yes, after Retry-After, with the same key",
}
_NOT_SHOWN = " **Not for the buyer.**"
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
_FAILURES = """
## Why a payment failed

A payment that fails is no error of a request: the order is `FAILED`, and its `failure` has a `code`, a
`message` in words for the buyer, the provider's own `decline_code`, and `retryable`. Decide by `code`, and
treat one that you do not know as `card_declined`. Where `retryable` is true another attempt can help: later,
with another card, or with the buyer present. Where it is false, expect the same answer again.

Show buyers the `message`. Never show them, or hint at, a code that is marked **not for the buyer**, nor any
`decline_code`: whoever tries out stolen cards learns from it.

| `failure.code` | `retryable` | meaning |
|---|---|---|
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


def declared_failures() -> Mapping[str, FailureCode]:
    """Return every `failure.code`: the FAILURES of each app's `api.shapes`, where it has them."""
    found: dict[str, FailureCode] = {}
    for name in project_apps():
        if find_spec(f"{name}.api") is not None and find_spec(f"{name}.api.shapes") is not None:
            found |= getattr(import_module(f"{name}.api.shapes"), "FAILURES", {})
    return found


def as_markdown() -> str:
    """Return the reference page of all errors, and of the reasons why payments fail."""
    rows = [
        f"| `{error.code}` | {error.status} | `{error().type}` | {_RETRY.get(error.status, 'no')} "
        f"| {error.message} |"
        for error in declared_errors()
    ]
    reasons = [
        f"| `{code}` | {str(told.retryable).lower()} | {told.about}{_NOT_SHOWN if told.is_secret else ''} |"
        for code, told in declared_failures().items()
    ]
    return _HEADER + "\n".join(rows) + "\n" + _FAILURES + "\n".join(reasons) + "\n"
