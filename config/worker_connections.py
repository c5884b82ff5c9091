"""What Celery does to Django's connections around each task, without the part that is dear here."""

from typing import Any

from celery import Celery
from celery.fixups import django as of_celery
from django.db import connections

__all__ = ["KeepsThePool", "fixup"]

_theirs: Any = of_celery  # Its types say less than there is.


class KeepsThePool(_theirs.DjangoWorkerFixup):
    """After a task its thread gives its connection back to the pool, and the pool stays.

    Celery's own closes the whole pool of a prefork child before and after every task, although a pool that
    was made in the child is the child's alone. Every task then began with new connections: a new process of
    the server for each, which knows no plan and no catalogue. What is inherited at the fork is still closed.
    """

    def on_task_prerun(self, sender: Any, **kwargs: Any) -> None:
        """Begin without a connection, as every task does."""
        self._give_back(sender)

    def on_task_postrun(self, sender: Any, **kwargs: Any) -> None:
        """Leave none behind in this thread; the pool looks at it before it is used again."""
        self._give_back(sender)

    @staticmethod
    def _give_back(sender: Any) -> None:
        if not getattr(sender.request, "is_eager", False):
            for each in connections.all(initialized_only=True):
                each.close()


class _Fixup(_theirs.DjangoFixup):
    _ours: KeepsThePool | None = None

    @property
    def worker_fixup(self) -> KeepsThePool:
        """What acts in a worker, made when Celery's settings are there."""
        if self._ours is None:
            self._ours = KeepsThePool(self.app)
        return self._ours


def fixup(app: Celery) -> Any:
    """Take the place of `celery.fixups.django:fixup`; given to the application by this module's name."""
    return _Fixup(app).install()
