"""Three words for a transaction: the edge opens one, services require one, network code forbids one."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, transaction

__all__ = [
    "UNIQUE_VIOLATION",
    "at_edge",
    "forbids_transaction",
    "in_transaction",
    "requires_transaction",
    "sqlstate",
]

P = ParamSpec("P")
R = TypeVar("R")

# PostgreSQL: serialization_failure and deadlock_detected. The whole transaction was rolled back, so
# running it again is safe; nothing else is retried here.
_RETRYABLE = ("40001", "40P01")
_ATTEMPTS = 3
UNIQUE_VIOLATION = "23505"


def in_transaction() -> bool:
    """Say whether a real transaction is open (the one that a test case wraps around itself is not)."""
    for block in transaction.get_connection().atomic_blocks:
        if not getattr(block, "_from_testcase", False):
            return True
    return False


def at_edge(func: Callable[P, R]) -> Callable[P, R]:
    """Run the function in one durable transaction; run it again on a deadlock or serialization failure.

    For views, tasks, commands and admin actions only. The function must have no effect outside the
    database. At most three attempts, with a random pause that grows.
    """

    @wraps(func)
    def edge(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with transaction.atomic(durable=True):
                    return func(*args, **kwargs)
            except OperationalError as error:
                if sqlstate(error) not in _RETRYABLE or attempt == _ATTEMPTS:
                    raise
                time.sleep(random.uniform(0.005, 0.02 * 2**attempt))  # noqa: S311 - jitter, not a secret
        raise AssertionError("unreachable")

    return edge


def sqlstate(error: BaseException) -> str | None:
    """Return PostgreSQL's error code behind a Django database error, if there is one."""
    return getattr(error.__cause__, "sqlstate", None)


def requires_transaction(func: Callable[P, R]) -> Callable[P, R]:
    """Refuse to run outside a transaction: what the function writes belongs to its caller's commit."""

    @wraps(func)
    def service(*args: P.args, **kwargs: P.kwargs) -> R:
        if not in_transaction():
            raise RuntimeError(f"{func.__qualname__} must be called inside a transaction")
        return func(*args, **kwargs)

    return service


def forbids_transaction(func: Callable[P, R]) -> Callable[P, R]:
    """Refuse to run inside a transaction: a rollback cannot recall what went over the network."""

    @wraps(func)
    def network(*args: P.args, **kwargs: P.kwargs) -> R:
        if in_transaction():
            raise RuntimeError(f"{func.__qualname__} talks to the network and must not be in a transaction")
        return func(*args, **kwargs)

    return network
