"""One JSON line per log record, with the ids bound to the current request or drain."""

import logging
import sys
from typing import Any

import structlog

from core.card_data import hide_card_numbers
from core.redaction import hide_secrets

__all__ = ["configure"]

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]


def configure(options: dict[str, Any]) -> None:
    """Send structlog and standard logging to standard error as JSON at the given level."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Digits in any script stay themselves, so that the next step knows them.
                structlog.processors.JSONRenderer(ensure_ascii=False),
                _hide,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(options["level"])
    # Django's own handlers would say everything once more, as plain text.
    logging.getLogger("django").handlers.clear()


def _hide(_logger: Any, _method: str, line: Any) -> str:
    """Whoever calls may put a card number or a key where we log it: into a path, for one."""
    return hide_card_numbers(hide_secrets(str(line)))
