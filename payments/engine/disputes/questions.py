"""What is said to a provider about a dispute: exactly what was put together when it was asked for."""

import base64

from core.ids import public_id
from payments.locks import ChargeScope
from payments.models import Dispute, DisputeEvidence, PspOperation
from payments.psp.disputes import AcceptDisputeRequest, EvidenceFile, EvidenceRequest

__all__ = ["accept_request", "evidence_request"]


def evidence_request(scope: ChargeScope, operation: PspOperation) -> EvidenceRequest:
    """Return the answer that an operation sends; the same bytes each time."""
    pieces = list(DisputeEvidence.objects.filter(operation=operation).order_by("field"))
    return EvidenceRequest(
        nonce=operation.nonce,
        our_reference=public_id("op", operation.id),
        reference=_dispute(operation).psp_reference,
        texts={each.field: each.text for each in pieces if each.text},
        files=tuple(
            EvidenceFile(
                nonce=f"{operation.nonce}-{each.field}",
                part=each.field,
                name=each.file_name,
                content=base64.b64decode(each.content),
            )
            for each in pieces
            if each.content
        ),
    )


def accept_request(scope: ChargeScope, operation: PspOperation) -> AcceptDisputeRequest:
    """Return the word that a dispute may stand."""
    return AcceptDisputeRequest(nonce=operation.nonce, reference=_dispute(operation).psp_reference)


def _dispute(operation: PspOperation) -> Dispute:
    assert operation.dispute_id is not None, "the database refuses an answer without a dispute"
    return Dispute.objects.get(pk=operation.dispute_id)
