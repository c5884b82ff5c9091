"""What each step of a dispute does: to its state, its orders, its sellers and the books."""

from dataclasses import dataclass
from datetime import datetime

from core import clock
from core.alerts import end_alert
from core.history import Changes
from core.ids import public_id
from core.transactions import requires_transaction
from ledger.templates.splits import split_by_weights
from payments.engine.disputes.books import Books, Part
from payments.engine.disputes.facts import dispute_fact
from payments.engine.disputes.lines import free_lines, reserve_lines
from payments.engine.disputes.locks import DisputeScope
from payments.engine.disputes.policy import fee_bearer, loss_bearer
from payments.models import DisputeMovement

__all__ = ["DEADLINE", "Step"]

DEADLINE = "dispute_deadline"


@dataclass(frozen=True)
class Step:
    """Moves one locked dispute along. Entries are posted when the changes are saved, in this order."""

    scope: DisputeScope
    changes: Changes
    by: str

    @requires_transaction
    def open(self, *, why: str) -> None:
        """The bank takes the money back: what is disputed can no longer be refunded."""
        dispute = self.scope.dispute
        if dispute.status != "INQUIRY":
            return
        reserve_lines(self.scope)
        self.changes.move(
            dispute, dispute.to_open, why=why, by=self.by, fact=dispute_fact(self.scope, "opened")
        )

    @requires_transaction
    def close(self, *, why: str) -> None:
        """An inquiry rests."""
        dispute = self.scope.dispute
        if dispute.status == "INQUIRY":
            self._end_deadline("The inquiry is closed.")
            self.changes.move(
                dispute,
                dispute.to_closed,
                why=why,
                by=self.by,
                fact=dispute_fact(self.scope, "inquiry_closed"),
            )

    @requires_transaction
    def evidence_sent(self, *, why: str, at: datetime | None = None) -> None:
        """The bank has the answer. Of an inquiry the state stays what it is."""
        dispute, at = self.scope.dispute, at or clock.now()
        self._end_deadline("The dispute is answered.")
        if dispute.status == "OPEN":
            self.changes.move(
                dispute,
                dispute.to_evidence_sent,
                why=why,
                by=self.by,
                fact=dispute_fact(self.scope, "evidence_sent"),
                evidence_sent_at=at,
            )
        elif dispute.evidence_sent_at is None:
            dispute.evidence_sent_at = at
            # No move has been made of an inquiry, so that this does not run ahead of one.
            self.changes.emit(dispute, dispute_fact(self.scope, "evidence_sent"))

    @requires_transaction
    def accept(self, *, why: str) -> None:
        """The merchant lets it stand; the provider's verdict follows."""
        dispute = self.scope.dispute
        if dispute.status == "OPEN":
            self.changes.move(
                dispute, dispute.to_accepted, why=why, by=self.by, fact=dispute_fact(self.scope, "accepted")
            )

    @requires_transaction
    def withdrawn(self, movement: DisputeMovement) -> None:
        """The provider took the money: post it, and hold what sellers bear, the first time (C1, C2)."""
        dispute = self.scope.dispute
        self.open(why="the money was taken")
        dispute.taken_minor += movement.amount_minor
        dispute.fee_minor += movement.fee_minor
        held: list[Part] = []
        if not dispute.verdict and not dispute.is_held and self.scope.lines:
            self.hold()
            held = self.parts()
        books = self._books()
        self.changes.last(lambda: books.withdrawn(movement, held))
        if dispute.verdict == "won":
            self.lose(why="the money was taken again")

    @requires_transaction
    def reinstated(self, movement: DisputeMovement) -> None:
        """The provider gave the money back: post it (C3a). All of it back is a win."""
        dispute = self.scope.dispute
        dispute.taken_minor -= movement.amount_minor
        dispute.fee_minor -= movement.fee_minor
        books = self._books()
        self.changes.last(lambda: books.reinstated(movement))
        if dispute.taken_minor <= 0 and dispute.verdict != "won":
            self.win(why="the money came back")

    @requires_transaction
    def win(self, *, why: str) -> None:
        """A new round: undo a loss if there was one, and give sellers back what is held (C3b)."""
        dispute = self.scope.dispute
        if dispute.status == "ACCEPTED":
            self.lose(why="accepted")
        self.open(why=why)
        dispute.round += 1
        parts, books, borne_by = self.parts(), self._books(), dispute.borne_by
        if dispute.verdict == "lost":
            self.changes.last(lambda: books.lost_undone(parts, borne_by=borne_by))
            self.changes.last(lambda: books.fee_returned(parts))
        elif dispute.is_held:
            self.changes.last(lambda: books.released(parts, why="won"))
        self._let_go()
        free_lines(self.scope)
        self._end_deadline("The dispute is won.")
        self.changes.move(dispute, dispute.to_won, why=why, by=self.by, fact=dispute_fact(self.scope, "won"))

    @requires_transaction
    def lose(self, *, why: str) -> None:
        """A new round: hold again what a win gave back, and let who bears the loss pay (C4)."""
        dispute = self.scope.dispute
        self.open(why=why)
        dispute.round += 1
        merchant_id, books = dispute.merchant_id, self._books()
        borne_by = loss_bearer(merchant_id=merchant_id) if self.scope.lines else "platform"
        reserve_lines(self.scope)  # Those of a dispute that was won are free.
        self._divide_fee()
        parts = self.parts()
        if borne_by == "seller" and not dispute.is_held:
            self.changes.last(lambda: books.held(parts))
        self.changes.last(lambda: books.lost(parts, borne_by=borne_by))
        self.changes.last(lambda: books.fee_recharged(parts))
        self._let_go(keep_fee=True)
        self._end_deadline("The dispute is lost.")
        self.changes.move(
            dispute,
            dispute.to_lost,
            why=why,
            by=self.by,
            fact=dispute_fact(self.scope, "lost"),
            borne_by=borne_by,
        )

    def parts(self) -> list[Part]:
        """Return the lines as they are now."""
        scope = self.scope
        return [
            Part.of(line, scope.orders[line.order_id], scope.shares[line.order_id])
            for line in scope.lines
            if line.amount_minor
        ]

    def hold(self) -> None:
        """Name the holds that the next entry makes."""
        dispute = self.scope.dispute
        dispute.is_held = True
        for line in self.scope.lines:
            line.hold_subject = f"{dispute.id}:{line.order_id}:{dispute.round}"
            line.save(update_fields=["hold_subject"])

    def _let_go(self, *, keep_fee: bool = False) -> None:
        self.scope.dispute.is_held = False
        for line in self.scope.lines:
            line.hold_subject, line.fee_minor = "", line.fee_minor if keep_fee else 0
            line.save(update_fields=["hold_subject", "fee_minor"])

    def _divide_fee(self) -> None:
        dispute, lines = self.scope.dispute, self.scope.lines
        if not lines:
            return
        recharged = fee_bearer(merchant_id=dispute.merchant_id) == "seller"
        fee = max(dispute.fee_minor, 0) if recharged else 0
        fees = split_by_weights(amount_minor=fee, weights=[line.amount_minor for line in lines])
        for line, part in zip(lines, fees, strict=True):
            line.fee_minor = part

    def _books(self) -> Books:
        return Books(self.scope.dispute, self.scope.dispute.round, self.by)

    def _end_deadline(self, resolution: str) -> None:
        end_alert(DEADLINE, subject=public_id("dp", self.scope.dispute.id), resolution=resolution)
