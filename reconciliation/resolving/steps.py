"""The step of a run in which rules close what they may: after posting, so that its keys are there."""

from core.drain import Claim
from core.transactions import forbids_transaction
from reconciliation.leases import keep_run
from reconciliation.models import ReconciliationRun
from reconciliation.resolving.automatic import adjust_by_rule, waiting_for_rules
from reconciliation.resolving.withdrawn import take_back_withdrawn

__all__ = ["adjust_run", "adjust_what_waits"]


@forbids_transaction
def adjust_run(claim: Claim) -> str:
    """Let rules close the breaks of a POSTED run's file; return the state of the run, which does not change.

    In portions, each in a transaction; a restart goes on with those that are left.
    """
    run = ReconciliationRun.objects.get(pk=claim.id)
    if run.fence == claim.fence and run.status == "POSTED":
        take_back_withdrawn(run_id=run.id)
        while ids := waiting_for_rules(run_id=run.id):
            adjust_by_rule(ids)
            keep_run(claim)
    return run.status


@forbids_transaction
def adjust_what_waits() -> int:
    """Let rules close breaks that were found outside of a run; return how many entries were posted."""
    posted = 0
    while ids := waiting_for_rules():
        posted += adjust_by_rule(ids)
    return posted
