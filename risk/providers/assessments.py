"""A vendor that takes an assessment and answers it later, over JSON and HTTP."""

from collections.abc import Mapping
from typing import Any

from channels.services import JsonAnswer, call_json
from core.transactions import forbids_transaction
from risk.providers.contract import CALL_SECONDS, VendorAnswer, VendorLine
from risk.types import APPROVE, DECLINE, REVIEW

__all__ = ["AssessmentsProvider"]

_PATH = "/_vendor/v1/assessments"
_DECISIONS = {"approved": APPROVE, "declined": DECLINE, "review": REVIEW}


class AssessmentsProvider:
    """POST takes the question under our reference, GET tells how it stands."""

    provider = "sandbox"

    @forbids_transaction
    def ask(self, *, line: VendorLine, reference: str, request: Mapping[str, Any]) -> VendorAnswer:
        """Create the assessment, or find the one that our reference names already."""
        answer = call_json(
            method="POST",
            url=f"{line.base_url}{_PATH}",
            bearer=line.secret_key,
            seconds=CALL_SECONDS,
            body={"reference": reference, **_facts(request)},
            key=reference,
        )
        return _read(answer)

    @forbids_transaction
    def look(self, *, line: VendorLine, vendor_reference: str) -> VendorAnswer:
        """Fetch the assessment."""
        answer = call_json(
            method="GET",
            url=f"{line.base_url}{_PATH}/{vendor_reference}",
            bearer=line.secret_key,
            seconds=CALL_SECONDS,
        )
        return _read(answer)


def _read(answer: JsonAnswer) -> VendorAnswer:
    if answer.status is None:
        return VendorAnswer(error=answer.error)
    data = answer.data
    if answer.status not in (200, 201, 202) or not isinstance(data, Mapping):
        return VendorAnswer(error=f"answered {answer.status}")
    reference = data.get("id")
    if not isinstance(reference, str) or not reference.isascii() or not _is_plain(reference):
        return VendorAnswer(error="an answer without an id")
    status = data.get("status")
    if status == "pending":
        return VendorAnswer(reference=reference)
    if not isinstance(status, str) or status not in _DECISIONS:
        return VendorAnswer(reference=reference, error="an answer that says nothing we know")
    return VendorAnswer(decision=_DECISIONS[status], reference=reference)


def _facts(request: Mapping[str, Any]) -> dict[str, Any]:
    """One amount stands for the payment; where it is in several currencies, all of them are told as well."""
    first = request["amounts"][0]
    return {
        "amount": first["amount_minor"],
        "currency": first["currency"],
        "email": request["buyer"]["email"],
        **request,
    }


def _is_plain(reference: str) -> bool:
    """It becomes part of an address."""
    return 1 <= len(reference) <= 128 and all(char.isalnum() or char in "_-" for char in reference)
