"""Real threads with connections of their own, started at the same moment."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, connections

__all__ = ["race"]


def race(
    contenders: Sequence[Callable[[], Any]], *, seconds: float = 30.0, connected: bool = False
) -> list[Any]:
    """Call every contender in its own thread; return each one's result, or the exception it raised.

    With `connected` every thread has its connection to the database before the first one begins.
    """
    start = threading.Barrier(len(contenders))
    results: list[Any] = [None] * len(contenders)

    def run(index: int, contender: Callable[[], Any]) -> None:
        try:
            if connected:
                connection.ensure_connection()
            start.wait(seconds)
            results[index] = contender()
        except Exception as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(contenders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
        assert not thread.is_alive(), "a contender hangs"
    return results
