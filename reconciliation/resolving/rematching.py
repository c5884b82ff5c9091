"""Lines are matched and un-matched by people; each leads to the same books as if it had been so at once (R5).

To match is a proposal for a line's break (see `proposing`). To un-match takes the match of a line, or of its
whole group, back: what it posts as a movement leaves the books, what was adjusted on top of it too, and the
line is in the queue with a break of its own.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.approvals import (
    ApprovalNotPending,
    ApprovalVoid,
    FourEyesRequired,
    approve,
    reject,
    request_approval,
)
from core.audit_trail import is_person, record_audit, required_reason
from core.errors import NotFound
from core.history import Changes
from core.ids import uuid7
from core.models import Approval
from core.transactions import requires_transaction
from reconciliation.breaks import BreakClass, How, Side
from reconciliation.errors import BreakStateConflict
from reconciliation.ingest.days import today_of
from reconciliation.locks import lock_discrepancies, lock_matches
from reconciliation.matching.calendar import expectation_of
from reconciliation.matching.findings import line_finding
from reconciliation.matching.open_lines import lines_by_id
from reconciliation.matching.opening import Place, end_break, open_breaks, resolve_breaks
from reconciliation.matching.types import Pairing
from reconciliation.matching.writing import write_pairings
from reconciliation.models import Adjustment, Discrepancy, Match, MatchEnd, ReconciliationRun, SettlementLine
from reconciliation.posting.origins import OF_A_MATCH
from reconciliation.resolving.books import books_for, post_drafts
from reconciliation.resolving.evidence import evidence_of
from reconciliation.resolving.facts import facts_of, family_of, file_of_line, standing
from reconciliation.resolving.known import is_posted
from reconciliation.resolving.meanings import PAIRINGS
from reconciliation.resolving.meanings import UNMATCH as _TEMPLATE
from reconciliation.resolving.moving import legs_between, meaning_of
from reconciliation.resolving.plans import Plan, reassigned
from reconciliation.resolving.taking_back import Decision, reverse_adjustment
from reconciliation.resolving.templates import Made
from reconciliation.resolving.writing import Terms, begin_adjustment, reopen

__all__ = ["UNMATCH", "approve_unmatching", "pair_by_hand", "reject_unmatching", "request_unmatching"]

UNMATCH = "match.take_back"
_EXPIRES_IN = timedelta(days=7)


@requires_transaction
def pair_by_hand(row: Discrepancy, made: Plan, *, by: str) -> None:
    """Let the line of a locked break be the movement of a plan, from now on.

    A difference between the two is a break of its own; what missed the movement is over.
    """
    movement, line, source = made.movement, made.facts.line, row.source
    assert movement is not None and isinstance(line, SettlementLine) and source is not None
    run = ReconciliationRun.objects.get(file_id=line.file_id)
    said = lines_by_id([line.id])[line.id]
    difference = (said.minor_in(movement.currency) or 0) - movement.amount_minor
    write_pairings(run, [Pairing(line.id, movement, How.BY_HAND, "by_hand", difference)])
    missed = Discrepancy.objects.filter(
        merchant_id=row.merchant_id,
        subject_id=movement.key.subject_id,
        subject_kind=movement.key.subject_kind,
        break_class=BreakClass.MISSING_EXTERNAL,
    ).exclude(status="RESOLVED")
    resolve_breaks(resolutions={each.id: "its line was found by hand" for each in missed}, by=by)
    if difference:
        steps = [
            {"step": "by_hand", "line_minor": str(said.minor), "movement_minor": str(movement.amount_minor)}
        ]
        finding = line_finding(
            BreakClass.AMOUNT_MISMATCH,
            said,
            steps,
            movement,
            amount_minor=abs(difference),
            currency=movement.currency,
        )
        open_breaks(Place(source, run.id, line.file_id), [finding])


@requires_transaction
def request_unmatching(*, match_id: int, reason: str, maker: str) -> UUID:
    """Ask for a second person's yes to taking a match back; return the approval's key.

    Raises NotFound for a match that does not hold or has no line of a provider, ReasonRequired,
    FourEyesRequired for anybody but a person, BreakStateConflict while its file is being posted.
    """
    reason = required_reason(reason)
    if not is_person(maker):
        raise FourEyesRequired
    together = _together(match_id)
    day = clock.today()
    approval = request_approval(
        subject=f"match:{together[0].id}",
        action=UNMATCH,
        instruction=_instruction(together, reason, day),
        maker=maker,
        expires_in=_EXPIRES_IN,
        merchant_id=together[0].merchant_id,
    )
    record_audit(
        actor=maker,
        action="match.request_take_back",
        subject=f"match:{together[0].id}",
        reason=reason,
        merchant_id=together[0].merchant_id,
    )
    key: UUID = approval.pk
    return key


@requires_transaction
def approve_unmatching(*, approval_id: UUID, checker: str) -> list[UUID]:
    """Say yes as the second person; return the breaks that the lines have now.

    Call it under `at_decision_edge`. Raises NotFound, FourEyesRequired, ApprovalNotPending, ApprovalExpired,
    ApprovalVoid, InsufficientFunds.
    """
    approval = _approval(approval_id)
    if approval.status != "PENDING":
        raise ApprovalNotPending
    said = approval.instruction
    try:
        together = _together(said["matches"][0]["id"])
    except NotFound as error:
        raise ApprovalVoid.of(approval) from error
    day = date.fromisoformat(said["effective_date"])
    lines = sorted({each.line_id for each in together if each.line_id is not None})
    about = Discrepancy.objects.filter(line_id__in=lines, side=Side.PSP).values_list("pk", flat=True)
    known = lock_discrepancies(ids=list(about))
    approve(
        approval_id=approval_id,
        checker=checker,
        instruction_now=_instruction(_together(said["matches"][0]["id"]), said["reason"], day),
    )
    decision = Decision(maker=approval.maker, checker=checker, approval_id=approval_id)
    done = [
        _unmatch(
            line_id,
            [each for each in together if each.line_id == line_id],
            [row for row in known if row.line_id == line_id],
            why=said["reason"],
            day=day,
            decision=decision,
        )
        for line_id in lines
    ]
    record_audit(
        actor=checker,
        action=UNMATCH,
        subject=approval.subject,
        reason=said["reason"],
        detail={"maker": approval.maker, "matches": [each.id for each in together]},
        merchant_id=approval.merchant_id,
    )
    return done


@requires_transaction
def reject_unmatching(*, approval_id: UUID, checker: str, reason: str) -> None:
    """Say no as the second person: the match holds.

    Call it under `at_decision_edge`. Raises NotFound, ReasonRequired, FourEyesRequired, ApprovalNotPending,
    ApprovalExpired.
    """
    _approval(approval_id)
    reject(approval_id=approval_id, checker=checker, reason=reason)


def _unmatch(
    line_id: int,
    matches: Sequence[Match],
    known: Sequence[Discrepancy],
    *,
    why: str,
    day: date,
    decision: Decision,
) -> UUID:
    """End the matches of one line; return the key of the break that it has from now on."""
    _end_breaks_of_match(known, why=why, decision=decision)
    row, by_hand = _break_for(line_id, matches, known, why=why)
    if by_hand is None:
        changes = Changes()
        _post_unmatching(row, line_id, matches, changes, why=why, day=day, decision=decision)
        changes.save()
    _end(matches, why=why, by=decision.checker)
    if by_hand is not None:
        changes = Changes()
        reverse_adjustment(row, by_hand, changes, why=why, decision=decision)
        reopen(row, changes, why=why, by=decision.checker)
        changes.save()
    return row.id


def _end_breaks_of_match(known: Sequence[Discrepancy], *, why: str, decision: Decision) -> None:
    """What was wrong between line and movement is no question any more; what was posted for it goes."""
    is_over = "the line is not this movement"
    changes = Changes()
    for row in known:
        if row.break_class not in OF_A_MATCH:
            continue
        posted = list(standing([row.id]))
        for adjustment in reversed(posted):
            reverse_adjustment(row, adjustment, changes, why=why, decision=decision)
        if posted and row.status == "RESOLVED":
            reopen(row, changes, why=why, by=decision.checker)
            end_break(changes, row, why=is_over, by=decision.checker)
    changes.save()
    still = [row for row in known if row.break_class in OF_A_MATCH and row.status != "RESOLVED"]
    resolve_breaks(resolutions={row.id: is_over for row in still}, by=decision.checker)


def _break_for(
    line_id: int, matches: Sequence[Match], known: Sequence[Discrepancy], *, why: str
) -> tuple[Discrepancy, Adjustment | None]:
    """Return the break that the line is to have, and what matched it by hand, if anything did."""
    unmatched = [row for row in known if row.break_class not in (*OF_A_MATCH, "BATCH_TOTAL_MISMATCH")]
    if unmatched:
        row = unmatched[-1]
        family = [each.id for each in family_of(row)]
        return row, standing(family).filter(template__in=PAIRINGS).last()
    file = file_of_line(line_id)
    assert file is not None
    line = lines_by_id([line_id])[line_id]
    steps = [{"step": "taken_back", "match": str(each.id), "because": why} for each in matches]
    finding = line_finding(BreakClass.MISSING_INTERNAL, line, steps, None, extra=", its match was taken back")
    [key] = open_breaks(Place(file.source, matches[0].run_id, file.id), [finding])
    # A rule must not take at once what two people are looking at.
    Discrepancy.objects.filter(pk=key).update(category="B")
    return lock_discrepancies(ids=[key])[0], None


def _post_unmatching(
    row: Discrepancy,
    line_id: int,
    matches: Sequence[Match],
    changes: Changes,
    *,
    why: str,
    day: date,
    decision: Decision,
) -> None:
    if row.status == "RESOLVED":
        reopen(row, changes, why=why, by=decision.checker)
    adjustment_id = uuid7()
    made = _made(line_id, matches, row, adjustment_id, day)
    terms = Terms(adjustment_id, _TEMPLATE, {}, why, day, evidence_of(facts_of(row)))
    adjustment = begin_adjustment(row, terms, made, changes, maker=decision.maker)
    refs = post_drafts(made.drafts)
    changes.move(
        adjustment,
        adjustment.to_posted,
        why=why,
        by=decision.checker,
        posted_at=clock.now(),
        entry_id=refs[0].id,
        checker=decision.checker,
        approval_id=decision.approval_id,
    )


def _made(line_id: int, matches: Sequence[Match], row: Discrepancy, adjustment_id: UUID, day: date) -> Made:
    line, file = SettlementLine.objects.get(pk=line_id), file_of_line(line_id)
    assert file is not None
    books = books_for(file.source, line.currency)
    # Where its break began: there the desk looks for what is open because of it.
    after = meaning_of(line, (), posted_id=family_of(row)[0].line_id)
    legs = legs_between([meaning_of(line, matches)], [after], file=file, books=books)
    return reassigned(row, legs, books=books, adjustment_id=adjustment_id, day=day)


def _end(matches: Sequence[Match], *, why: str, by: str) -> None:
    """Let matches hold no more; their movements wait for a line again."""
    now = clock.now()
    Match.objects.filter(pk__in=[each.id for each in matches]).update(live=False)
    MatchEnd.objects.bulk_create(
        [
            MatchEnd(merchant_id=each.merchant_id, match=each, reason=why[:200], by=by, at=now)
            for each in matches
        ]
    )
    run = ReconciliationRun.objects.select_related("source").get(pk=matches[0].run_id)
    clear_by = expectation_of(run.source).clear_by(today_of(run.source))
    for each in matches:
        # The other lines of a group have the movement until they are ended too.
        Match.objects.bulk_create([_expected(each, clear_by)], ignore_conflicts=True)


def _expected(match: Match, clear_by: date) -> Match:
    return Match(
        merchant_id=match.merchant_id,
        source_id=match.source_id,
        run_id=match.run_id,
        side=match.side,
        line_id=None,
        subject_kind=match.subject_kind,
        subject_id=match.subject_id,
        nth=match.nth,
        how=How.EXPECTED,
        rule="taken_back",
        clearing_key=match.clearing_key,
        amount_minor=match.amount_minor,
        clear_by=clear_by,
    )


def _together(match_id: int) -> list[Match]:
    """Lock the matches that are taken back together: those of the line, and of its group."""
    found = Match.objects.filter(pk=match_id, live=True, line_id__isnull=False, side=Side.PSP).first()
    if found is None or found.line_id is None:
        raise NotFound()
    file = file_of_line(found.line_id)
    if file is None or not is_posted(file.id):
        raise BreakStateConflict("The file is still being posted.")
    return lock_matches(match=found)


def _approval(approval_id: UUID) -> Approval:
    approval = Approval.objects.filter(pk=approval_id, action=UNMATCH).first()
    if approval is None:
        raise NotFound()
    return approval


def _instruction(together: Sequence[Match], reason: str, day: date) -> dict[str, Any]:
    """What exactly is agreed on; should any of it change, the yes is void."""
    lines = sorted({each.line_id for each in together if each.line_id is not None})
    of_lines = Discrepancy.objects.filter(line_id__in=lines, side=Side.PSP)
    return {
        "matches": [
            {
                "id": each.id,
                "line": each.line_id,
                "movement": f"{each.subject_kind}:{each.subject_id}:{each.nth}",
                "clearing_key": each.clearing_key,
                "amount_minor": each.amount_minor,
                "difference_minor": each.difference_minor,
            }
            for each in together
        ],
        "takes_back": [
            {"adjustment": str(each.id), "template": each.template, "entry": each.entry_id}
            for each in standing([row.id for row in of_lines])
            if each.template != _TEMPLATE
        ],
        "effective_date": day.isoformat(),
        "reason": reason,
    }
