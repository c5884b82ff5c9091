"""Files that a provider numbers: a number that is missing gets a case, and the others are worked on."""

from core.alerts import end_alert, raise_alert
from core.transactions import requires_transaction
from reconciliation.ingest.policy import SEQUENCE
from reconciliation.models import SettlementFile
from reconciliation.states import FILE_LIVE

__all__ = ["MOST_MISSING", "look_for_gaps"]

# More than a month of daily files is no gap: the provider began to count anew.
MOST_MISSING = 31


@requires_transaction
def look_for_gaps(file: SettlementFile) -> None:
    """Open a case for each number that is missing around a published file's, and close that of its own.

    On both sides of it, because the file may be older than the first one that was here.
    """
    number = file.sequence
    if number is None:
        return
    end_alert(SEQUENCE, subject=_subject(file, number), resolution=f"{file.name[:80]} came.")
    others = SettlementFile.objects.filter(
        source_id=file.source_id, status__in=FILE_LIVE, sequence__isnull=False
    ).exclude(pk=file.pk)
    before = others.filter(sequence__lt=number).order_by("-sequence").values_list("sequence", flat=True)
    after = others.filter(sequence__gt=number).order_by("sequence").values_list("sequence", flat=True)
    for missing in (*_between(before.first(), number), *_between(number, after.first())):
        raise_alert(
            SEQUENCE,
            subject=_subject(file, missing),
            summary=f"{file.source.name}: file number {missing} is missing, number {number} is here",
            detail={"source_id": str(file.source_id), "sequence": missing},
            merchant_id=file.merchant_id,
        )


def _between(first: int | None, last: int | None) -> range:
    if first is None or last is None or last - first > MOST_MISSING:
        return range(0)
    return range(first + 1, last)


def _subject(file: SettlementFile, number: int) -> str:
    return f"settlement_source:{file.source_id}:{number}"
