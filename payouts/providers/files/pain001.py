"""Writing payment orders: ISO 20022 pain.001, SEPA credit transfers, the same bytes for the same order.

sepaxml writes the elements and checks them against the schema. Its identifiers are random and its time is
now, so that both are replaced here; what leaves is then read back and compared with the order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from typing import Any

from sepaxml import SepaTransfer
from sepaxml.validation import ValidationError

from channels.types import Debtor
from payouts.providers.contract import BatchOrder, Instruction
from payouts.providers.files.payment_order import read_payment_order
from payouts.providers.files.sepa_text import sepa_text
from payouts.providers.files.xml import BadFile

__all__ = ["VERSIONS", "payee_name", "write_payment_order"]

VERSIONS = ("pain.001.001.03", "pain.001.001.09")

_LONGEST_NAME = 70
_LONGEST_REMITTANCE = 140


@dataclass(frozen=True)
class _Header:
    message_id: str
    created_at: str


class _Order(SepaTransfer):
    """A payment order whose identifiers and time are given."""

    def __init__(self, header: _Header, config: dict[str, Any], schema: str) -> None:
        self._given = header
        super().__init__(config, schema=schema, clean=False)

    def _create_header(self) -> None:
        super()._create_header()
        self._put("MsgId", self._given.message_id)
        self._put("CreDtTm", self._given.created_at)

    def _finalize_batch(self) -> None:
        super()._finalize_batch()
        self._put("PmtInfId", self._given.message_id)

    def _put(self, name: str, text: str) -> None:
        for element in self._xml.iter(name):
            element.text = text


def payee_name(instruction: Instruction) -> str:
    """Return the payee's name as it leaves; empty if SEPA's letters cannot say it."""
    return sepa_text(instruction.details.get("holder_name", ""), longest=_LONGEST_NAME)


def write_payment_order(
    order: BatchOrder,
    instructions: Sequence[Instruction],
    debtor: Debtor,
    *,
    version: str,
    validate: bool = False,
) -> bytes:
    """Return the file that pays these instructions of the order, out of the debtor's account.

    They are ones that SEPA can carry (see refusals.py). `validate` checks the schema as well, which takes
    half a second. Raises BadFile if what was written is not what was asked for, ValueError for an unknown
    version.
    """
    if version not in VERSIONS:
        raise ValueError(f"{version} is none of {', '.join(VERSIONS)}")
    name = sepa_text(debtor.name, longest=_LONGEST_NAME)
    if not name:
        raise BadFile("the name of the account that pays cannot be written in SEPA's letters")
    header = _Header(order.reference, order.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    writer = _Order(
        header,
        {"name": name, "IBAN": debtor.iban, "BIC": debtor.bic, "batch": True, "currency": "EUR"},
        version,
    )
    for instruction in instructions:
        writer.add_payment(_payment(order, instruction))
    try:
        content: bytes = writer.export(validate=validate)
    except ValidationError:
        # Not chained: what the validator says quotes names and accounts.
        raise BadFile("the file written does not fit its schema") from None
    _check(content, header, order, instructions, debtor)
    return content


def _payment(order: BatchOrder, instruction: Instruction) -> dict[str, Any]:
    bic = instruction.details.get("bic", "")
    return {
        "name": payee_name(instruction),
        "IBAN": instruction.details["iban"],
        **({"BIC": bic} if bic else {}),
        "amount": instruction.amount_minor,
        "execution_date": order.execute_on,
        "description": _remittance(instruction),
        "endtoend_id": instruction.reference,
    }


def _remittance(instruction: Instruction) -> str:
    # The element must not be empty, and a seller can at least find the reference again.
    return sepa_text(instruction.remittance, longest=_LONGEST_REMITTANCE) or instruction.reference


def _check(
    content: bytes, header: _Header, order: BatchOrder, instructions: Sequence[Instruction], debtor: Debtor
) -> None:
    read = read_payment_order(content)
    if (read.message_id, read.created_at) != (header.message_id, header.created_at):
        raise BadFile("the file written has another header")
    written = [
        (
            item.end_to_end_id,
            item.name,
            item.iban,
            item.amount,
            item.currency,
            item.debtor_iban,
            item.execute_on,
        )
        for item in read.transfers
    ]
    wanted = [
        (
            item.reference,
            payee_name(item),
            item.details["iban"],
            Decimal(item.amount_minor).scaleb(-2),
            "EUR",
            debtor.iban,
            order.execute_on,
        )
        for item in instructions
    ]
    if written != wanted:
        raise BadFile("the file written is not what was to be paid")
