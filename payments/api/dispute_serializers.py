"""The body of POST /v1/disputes/{id}/evidence."""

import base64
import binascii
from typing import Any

from core.api.fields import ChoiceTextField, StrictBooleanField, StrictListField, TextField
from core.api.serializers import StrictSerializer
from payments.engine.disputes.answers import LARGEST_FILE
from payments.errors import EvidenceFileInvalid
from payments.psp.disputes import EVIDENCE_FILES, EVIDENCE_TEXTS
from payments.types import DisputeAnswer, DisputeFile

__all__ = ["EvidenceFileInput", "EvidenceInput", "EvidenceTextsInput"]

_MOST_TEXT = 20_000
_MOST_FILES = 8
_FIELDS = tuple(name for name in EVIDENCE_FILES if name != "case_file")
_ABOUT_CONTENT = f"The file in base64: a PDF, a PNG or a JPEG of at most {LARGEST_FILE} bytes."
_ABOUT_SUBMIT = (
    "Send everything that was added, with what our own records tell, to the bank now. That can be done once."
)


class EvidenceTextsInput(StrictSerializer):
    """What is said, part by part. What is said again replaces what was said before."""

    access_activity_log = TextField(max_length=_MOST_TEXT, required=False)
    billing_address = TextField(max_length=_MOST_TEXT, required=False)
    cancellation_policy_disclosure = TextField(max_length=_MOST_TEXT, required=False)
    cancellation_rebuttal = TextField(max_length=_MOST_TEXT, required=False)
    customer_email_address = TextField(max_length=_MOST_TEXT, required=False)
    customer_name = TextField(max_length=_MOST_TEXT, required=False)
    customer_purchase_ip = TextField(max_length=_MOST_TEXT, required=False)
    duplicate_charge_explanation = TextField(max_length=_MOST_TEXT, required=False)
    explanation = TextField(max_length=_MOST_TEXT, required=False)
    product_description = TextField(max_length=_MOST_TEXT, required=False)
    refund_policy_disclosure = TextField(max_length=_MOST_TEXT, required=False)
    refund_refusal_explanation = TextField(max_length=_MOST_TEXT, required=False)
    service_date = TextField(max_length=_MOST_TEXT, required=False)
    shipping_address = TextField(max_length=_MOST_TEXT, required=False)
    shipping_carrier = TextField(max_length=_MOST_TEXT, required=False)
    shipping_date = TextField(max_length=_MOST_TEXT, required=False)
    shipping_tracking_number = TextField(max_length=_MOST_TEXT, required=False)


class EvidenceFileInput(StrictSerializer):
    """One file, and what it proves."""

    field = ChoiceTextField(choices=_FIELDS, help_text="What it proves.")
    filename = TextField(max_length=100)
    content = TextField(max_length=LARGEST_FILE * 4 // 3 + 4, help_text=_ABOUT_CONTENT)


class EvidenceInput(StrictSerializer):
    """What is added to the answer to a dispute."""

    texts = EvidenceTextsInput(required=False)
    files = StrictListField(child=EvidenceFileInput(), min_length=1, max_length=_MOST_FILES, required=False)
    submit = StrictBooleanField(required=False, help_text=_ABOUT_SUBMIT)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return {"answer": DisputeAnswer}."""
        values = super().to_internal_value(data)
        pieces = tuple(
            DisputeFile(each["field"], each["filename"], _decoded(each["content"], index))
            for index, each in enumerate(values.get("files", []))
        )
        return {"answer": DisputeAnswer(values.get("texts", {}), pieces, values.get("submit", False))}


def _decoded(content: str, index: int) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise EvidenceFileInvalid("The content is not base64.", param=f"files[{index}].content") from None


assert set(EvidenceTextsInput._declared_fields) == set(EVIDENCE_TEXTS)
