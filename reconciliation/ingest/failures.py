"""A file whose handling broke by a fault of ours: tried again, more and more slowly; then a person."""

from core import clock
from core.dead_letters import bury
from core.drain import Claim
from core.errors import NotFound
from core.ids import parse_public_id
from core.models import DeadLetter
from core.nudges import nudge
from core.retry import Retry, Strategy
from core.transactions import at_edge, requires_transaction
from reconciliation.ingest.receive import DRAIN
from reconciliation.locks import lock_file
from reconciliation.states import FILE_OPEN

__all__ = ["is_undecided", "record_failure", "replay_file"]

_RULE = Retry(Strategy.EXPONENTIAL, base=1, cap=60, limit=8)


@at_edge
def record_failure(*, claim: Claim, error: Exception) -> None:
    """Move the file's next try, or bury it after the last one. What is staged stays for the next try."""
    file = lock_file(file_id=claim.id)
    if file.fence != claim.fence or file.due_at is None:
        return
    file.attempts += 1
    pause = _RULE.pause(file.attempts)
    file.due_at = clock.now() + pause if pause is not None else None
    file.leased_until, file.updated_at = None, clock.now()
    file.save(update_fields=["attempts", "due_at", "leased_until", "updated_at"])
    if pause is None:
        bury(
            queue=DRAIN,
            subject=file.public_id,
            error=f"{type(error).__name__}: {error}"[:500],
            attempts=file.attempts,
            merchant_id=file.merchant_id,
            detail={"file_id": str(file.id), "name": file.name, "staged_lines": file.staged_lines},
        )


@requires_transaction
def is_undecided(letter: DeadLetter) -> bool:
    """Say whether a buried file is neither published nor refused: nobody may turn their back on it."""
    file_id = parse_public_id(letter.subject, "stl")
    if file_id is None:
        return False
    try:
        return lock_file(file_id=file_id).status in FILE_OPEN
    except NotFound:
        return False


@requires_transaction
def replay_file(letter: DeadLetter) -> None:
    """Make a buried file due again, with all its tries; one that was decided meanwhile stays."""
    file_id = parse_public_id(letter.subject, "stl")
    if file_id is None:
        return
    try:
        file = lock_file(file_id=file_id)
    except NotFound:
        return
    if file.status not in (*FILE_OPEN, "REFUSED", "DUPLICATE"):
        return
    file.attempts, file.due_at, file.leased_until = 0, clock.now(), None
    file.save(update_fields=["attempts", "due_at", "leased_until"])
    nudge(DRAIN)
