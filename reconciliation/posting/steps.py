"""Posting and telling as steps of a run: what the drain calls, one after the other."""

from core.drain import Claim
from reconciliation.models import ReconciliationRun
from reconciliation.posting.proving import prove_file
from reconciliation.posting.run import post_file

__all__ = ["post_run", "prove_run"]


def post_run(claim: Claim) -> str:
    """Post a run's file when it is matched; return the state of the run."""
    status = _status(claim)
    if status == "MATCHED":
        post_file(run_id=claim.id, fence=claim.fence)
        status = _status(claim)
    return status


def prove_run(claim: Claim) -> str:
    """Tell pay-in what the file proves when it is posted; return the state of the run."""
    status = _status(claim)
    if status == "POSTED":
        prove_file(run_id=claim.id, fence=claim.fence)
        status = _status(claim)
    return status


def _status(claim: Claim) -> str:
    return str(ReconciliationRun.objects.values_list("status", flat=True).get(pk=claim.id))
