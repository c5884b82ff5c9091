"""The one source of the current time, so that tests can move it, in this process and in others."""

from datetime import UTC, date, datetime, timedelta

from core.hooks import hooks_dir

__all__ = ["move", "now", "reset", "today"]


def now() -> datetime:
    """Return the current moment in UTC."""
    return datetime.now(UTC) + _offset()


def today() -> date:
    """Return the current date in UTC."""
    return now().date()


def _offset() -> timedelta:
    folder = hooks_dir()
    if folder is None:
        return timedelta(0)
    try:
        return timedelta(seconds=int((folder / "clock").read_text() or "0"))
    except FileNotFoundError:
        return timedelta(0)


def move(*, seconds: int) -> None:
    """Move the clock of every process that shares the hooks folder. Raises RuntimeError without hooks."""
    folder = hooks_dir()
    if folder is None:
        raise RuntimeError("the clock moves only under TEST_HOOKS")
    total = int(_offset().total_seconds()) + seconds
    partial = folder / "clock.new"
    partial.write_text(str(total))
    partial.replace(folder / "clock")


def reset() -> None:
    """Put the clock back to real time."""
    folder = hooks_dir()
    if folder is not None:
        (folder / "clock").unlink(missing_ok=True)
