"""Batches that the bank showed before their provider reported them: told of when the report is posted."""

from core.drain import Claim
from core.transactions import forbids_transaction
from reconciliation.banking.telling import prove_banked
from reconciliation.banking.types import batch_subject
from reconciliation.ingest.counting import ids_of
from reconciliation.matching.sql import rows
from reconciliation.models import Match, ReconciliationRun
from reconciliation.posting.keys import batch_key

__all__ = ["prove_early"]

_BATCHES = """
    SELECT DISTINCT currency, batch FROM reconciliation_settlementline
    WHERE id BETWEEN %(first)s AND %(last)s ORDER BY currency, batch
"""


@forbids_transaction
def prove_early(claim: Claim) -> str:
    """Tell pay-in what of a POSTED run's file the bank has shown already; return the state of the run."""
    run = ReconciliationRun.objects.select_related("file").get(pk=claim.id)
    if run.status != "POSTED" or run.fence != claim.fence:
        return run.status
    first, last = ids_of(run.file.number)
    for currency, batch in rows(_BATCHES, {"first": first, "last": last}):
        key = batch_key(source_id=run.source_id, batch=batch or run.file.document)
        if Match.objects.filter(subject_id=batch_subject(key), subject_kind="batch", live=True).exists():
            prove_banked(merchant_id=run.merchant_id, currency=currency, keys=[key])
    return run.status
