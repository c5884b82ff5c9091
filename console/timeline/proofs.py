"""What settlement files and bank statements say of a payment, as chapters."""

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from django.utils.translation import gettext as _

from console.desks.breaks_words import kind_name
from core import clock
from core.story import Amount, Chapter, Step
from payments.selectors import PaymentParts
from reconciliation.selectors import proofs_of
from reconciliation.types import ProofLine

__all__ = ["bank_step", "proof_chapters"]


def proof_chapters(parts: PaymentParts) -> Iterator[Chapter]:
    """Yield a chapter for each line that tells of a payment, for what has none yet, and for its breaks."""
    proofs = proofs_of(merchant_id=parts.merchant_id, subject_ids=list(parts.movements))
    yield from _lines(proofs.lines, parts.movements)
    for line in proofs.deposits:
        title = _("Bank statement of %(source)s: the provider's deposit") % {"source": line.source_name}
        says = _("It pays the whole batch, of which this is a part.")
        yield Chapter("bank", title, line.read_at, (bank_step(line, says),))
    for row in proofs.breaks:
        step = Step(
            at=row.found_at,
            what=_("break"),
            state=row.status,
            why=f"{row.public_id} · {row.summary}",
            key=row.public_id,
        )
        yield Chapter("break", _("A break: files and books do not say the same"), row.found_at, (step,))
    now = clock.now()
    if due := tuple(
        Step(
            at=now,
            what=_("no line yet"),
            subject=parts.movements.get(each.subject_id, ""),
            why=_("%(name)s: not late before %(day)s")
            % {"name": parts.movements.get(each.subject_id, ""), "day": each.clear_by},
        )
        for each in proofs.due
    ):
        yield Chapter("settlement", _("Waits for the provider's settlement file"), now, due)


def bank_step(line: ProofLine, says: str) -> Step:
    """Return the step of one line of a bank's statement."""
    return Step(
        at=line.read_at,
        what=_("bank line"),
        subject=line.reference,
        why=f"{line.reference} · {line.business_date} · {says}" if line.reference else says,
        key=str(line.line_id),
        amounts=(Amount(_("Booked"), line.net_minor, line.currency),),
    )


def _lines(lines: Iterable[ProofLine], names: Mapping[UUID, str]) -> Iterator[Chapter]:
    for line in lines:
        title = _("Settlement file of %(source)s: %(kind)s") % {
            "source": line.source_name,
            "kind": kind_name(line.kind),
        }
        told = [names.get(line.subject_id, ""), line.reference, str(line.business_date), line.file_name]
        if line.batch:
            told.append(_("batch %(name)s") % {"name": line.batch})
        gross, fee = line.gross_minor or 0, line.fee_minor or 0
        step = Step(
            at=line.read_at,
            what=_("line"),
            subject=line.reference,
            why=" · ".join(each for each in told if each),
            key=str(line.line_id),
            amounts=(
                Amount(_("Gross"), gross, line.currency),
                Amount(_("Fee"), fee, line.currency),
                Amount(_("Net"), line.net_minor, line.currency),
            ),
        )
        yield Chapter("settlement", title, line.read_at, (step,))
