"""One claimed file taken as far as it goes: staged, completed, published; or refused and swept.

Every step is committed before the next one, and asks whether the claim is still the newest; a process may die
between any two.
"""

from core.drain import Claim
from core.failpoints import failpoint
from core.history import move
from core.transactions import at_edge, forbids_transaction
from reconciliation.formats.contract import Refused
from reconciliation.ingest.complete import complete
from reconciliation.ingest.publish import publish
from reconciliation.ingest.refuse import refuse_file
from reconciliation.ingest.stage import read_file
from reconciliation.ingest.staged import remove_lines
from reconciliation.ingest.writer import Overtaken
from reconciliation.locks import lock_file
from reconciliation.models import SettlementFile
from reconciliation.states import FILE_OPEN

__all__ = ["take_further"]

_SWEPT = ("REFUSED", "DUPLICATE")


@forbids_transaction
def take_further(*, claim: Claim) -> None:
    """Take a claimed file as far as it goes; nothing when another worker has a newer claim.

    Raises whatever is a fault of ours: the file is tried again.
    """
    try:
        file = _begin(claim)
        if file is None:
            return
        state = _stage(claim, file) if file.status == "STAGING" else file.status
        if state in _SWEPT:
            remove_lines(claim, file)
            _end(claim)
    except Overtaken:
        return


@at_edge
def _begin(claim: Claim) -> SettlementFile | None:
    """Lock a claimed file and say that it is being staged; None when it is not ours."""
    file = lock_file(file_id=claim.id)
    if file.fence != claim.fence or file.due_at is None:
        return None
    if file.status == "RECEIVED":
        move(file, file.to_staging, why="a worker began to read it")
    return file if file.status in (*FILE_OPEN, *_SWEPT) else None


def _stage(claim: Claim, file: SettlementFile) -> str:
    try:
        if file.lines_count is None:
            complete(claim, read_file(claim, file))
            failpoint("settlement_files.completed")
        return publish(claim)
    except Refused as refusal:
        refuse_file(claim, refusal)
        failpoint("settlement_files.refused")
        return "REFUSED"


@at_edge
def _end(claim: Claim) -> None:
    file = lock_file(file_id=claim.id)
    if file.fence != claim.fence or file.status not in _SWEPT:
        raise Overtaken
    file.due_at = file.leased_until = None
    file.save(update_fields=["due_at", "leased_until"])
