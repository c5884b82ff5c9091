"""What a person is told of a file: that it is refused, whole; or that lines of it are put aside."""

from core import clock
from core.alerts import end_alert, open_subjects, raise_alert
from core.drain import Claim
from core.history import move
from core.ids import parse_public_id
from core.transactions import at_edge, requires_transaction
from reconciliation.formats.contract import Refused
from reconciliation.ingest.policy import QUARANTINED, REFUSED
from reconciliation.ingest.writer import Overtaken
from reconciliation.locks import lock_file
from reconciliation.models import SettlementFile

__all__ = ["end_refusals", "refuse", "refuse_file", "tell_quarantined"]


@requires_transaction
def refuse(file: SettlementFile, refusal: Refused, *, is_told: bool = True) -> None:
    """Refuse a locked file that is being staged; whoever has its claim takes its lines away.

    A person is told of it, unless there is nothing to be done about it.
    """
    move(
        file,
        file.to_refused,
        why=f"refused: {refusal}",
        code=refusal.code,
        line=refusal.line_no,
        message=refusal.message,
        sweep_at=clock.now(),
    )
    if not is_told:
        return
    place = f" (line {refusal.line_no})" if refusal.line_no else ""
    raise_alert(
        REFUSED,
        subject=file.public_id,
        summary=f"{file.source.name}: {file.name[:80]} is refused: {refusal.message}{place}",
        detail={"file_id": str(file.id), "code": refusal.code, "line": refusal.line_no},
        merchant_id=file.merchant_id,
    )


@at_edge
def refuse_file(claim: Claim, refusal: Refused) -> None:
    """Refuse a claimed file. Raises Overtaken when another worker has it."""
    file = lock_file(file_id=claim.id)
    if file.fence != claim.fence or file.status != "STAGING":
        raise Overtaken
    refuse(file, refusal)


@requires_transaction
def end_refusals(file: SettlementFile) -> None:
    """Close the cases of refused files in whose place a published one stands now.

    That is an earlier file of the same source about days of this one, or about days that nobody knows.
    """
    by_subject = {key: each for each in open_subjects(REFUSED) if (key := parse_public_id(each, "stl"))}
    refused = SettlementFile.objects.filter(
        pk__in=list(by_subject), source_id=file.source_id, received_at__lte=file.received_at
    )
    why = f"{file.name[:80]} came in its place."
    for each in refused.order_by("pk"):
        if _overlap(each, file):
            end_alert(REFUSED, subject=by_subject[each.pk], resolution=why)
    end_alert(REFUSED, subject=f"settlement_source:{file.source_id}", resolution=why)


def _overlap(refused: SettlementFile, good: SettlementFile) -> bool:
    ours, theirs = refused.days, good.days
    return ours is None or theirs is None or (ours[0] <= theirs[1] and theirs[0] <= ours[1])


@requires_transaction
def tell_quarantined(file: SettlementFile) -> None:
    """Tell a person of a published file's lines that are put aside."""
    if file.quarantined_count:
        raise_alert(
            QUARANTINED,
            subject=file.public_id,
            summary=f"{file.source.name}: {file.quarantined_count} lines of {file.name[:80]} are put aside",
            detail={"file_id": str(file.id), "lines": file.quarantined_count},
            merchant_id=file.merchant_id,
        )
