"""Disputes, and answers to them: thin shells around services and selectors."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.openapi import Operation
from core.api.pagination import list_object, list_scope, read_cursor, read_limit
from core.api.parameters import read_choice, read_reference, read_time
from core.api.schemas import listed, one_of, text
from core.api.views import ApiView, PostOnceView, json_response
from payments import selectors, services
from payments.api.dispute_serializers import EvidenceInput
from payments.api.dispute_shapes import DISPUTE_OBJECT, DISPUTE_PATH
from payments.errors import (
    DisputeNotOpen,
    EvidenceFieldUnknown,
    EvidenceFileInvalid,
    EvidenceInProgress,
    EvidenceOverdue,
)
from payments.states import DISPUTE
from payments.types import DisputeFilters

__all__ = ["DisputeDetail", "DisputeEvidenceList", "DisputeList"]


class DisputeList(ApiView):
    """GET lists disputes."""

    scopes = {"GET": "disputes:read"}
    query_parameters = ("limit", "cursor", "status", "payment_order_id", "created_gte", "created_lt")
    calls = {"GET": "list"}
    operations = {
        "GET": Operation(
            "list_disputes",
            returns=listed(DISPUTE_OBJECT),
            query={
                "status": one_of(DISPUTE.states, "Only disputes in this state."),
                "payment_order_id": text("Only those of this order, by the store's id or ours."),
            },
        )
    }

    def get(self, request: Request) -> HttpResponse:
        """List disputes, newest first."""
        query, merchant_id = request.query_params, self.caller.merchant_id
        scope = list_scope("disputes", merchant_id, query)
        page = selectors.list_disputes(
            merchant_id=merchant_id,
            limit=read_limit(query.get("limit")),
            after=read_cursor(scope, query.get("cursor")),
            filters=DisputeFilters(
                status=read_choice(query, "status", DISPUTE.states),
                order=read_reference(query, "payment_order_id", "pay"),
                created_gte=read_time(query, "created_gte"),
                created_lt=read_time(query, "created_lt"),
            ),
        )
        return json_response(list_object(page, scope=scope, render=dict))


class DisputeDetail(ApiView):
    """GET shows one dispute."""

    scopes = {"GET": "disputes:read"}
    operations = {"GET": Operation("get_dispute", returns=DISPUTE_OBJECT, path=DISPUTE_PATH)}

    def get(self, request: Request, reference: str) -> HttpResponse:
        """Show one dispute, by its dp_… id."""
        return json_response(selectors.get_dispute(merchant_id=self.caller.merchant_id, reference=reference))


class DisputeEvidenceList(PostOnceView):
    """POST adds to the answer to a dispute, and may send it."""

    scopes = {"POST": "disputes:write"}
    operations = {
        "POST": Operation(
            "add_dispute_evidence",
            returns=DISPUTE_OBJECT,
            status=HTTPStatus.CREATED,
            path=DISPUTE_PATH,
            errors=(
                DisputeNotOpen,
                EvidenceFieldUnknown,
                EvidenceFileInvalid,
                EvidenceInProgress,
                EvidenceOverdue,
            ),
            example={
                "texts": {
                    "explanation": "The buyer signed for the parcel.",
                    "shipping_carrier": "DHL",
                    "shipping_tracking_number": "JD0146",
                },
                "submit": True,
            },
        )
    }
    Input = EvidenceInput

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Add to the answer to a dispute.

        What is added is kept until it is sent with `submit`: together with what our own records tell of the
        payment, as fields and as a document. The answer of this call does not wait for the provider; the
        event `dispute.evidence_sent` tells that the bank has it.
        """
        merchant_id, reference = self.caller.merchant_id, path["reference"]
        services.add_evidence(
            merchant_id=merchant_id, reference=reference, answer=data["answer"], actor=self.caller.actor
        )
        shown = selectors.get_dispute(merchant_id=merchant_id, reference=reference)
        return HTTPStatus.CREATED, shown
