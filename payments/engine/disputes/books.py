"""The entries of disputes: the provider's money by its movements, what follows inside by rounds.

Every function here decides by the locked wallets and posts, so they are called last, in the order of what
happened, with what the lines were when it happened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from channels.selectors import get_channel
from core import clock
from core.history import SYSTEM
from core.transactions import requires_transaction
from ledger.services import open_account
from ledger.templates.accounts import ReturnAccounts, SellerAccounts
from ledger.templates.cover import SellerPart, decide_cover
from ledger.templates.disputes import (
    DisputeAccounts,
    HeldOrder,
    LostOrder,
    dispute_entries,
    dispute_fee_entry,
    dispute_fee_returned_entry,
    dispute_hold_entry,
    dispute_loss_entry,
    dispute_loss_undone_entry,
    dispute_lost_entry,
    dispute_lost_undone_entry,
    dispute_release_entry,
    dispute_won_entry,
)
from ledger.templates.entry import Posting
from ledger.types import EntryDraft
from payments.engine.cover import Taking, take_from_sellers
from payments.models import Dispute, DisputeLine, DisputeMovement, OrderShare, PaymentOrder
from wallet.selectors import seller_accounts_of
from wallet.services import (
    end_dispute_hold,
    lock_wallets,
    note_dispute_hold,
    open_wallet,
    post_netted,
)

__all__ = ["Books", "Part"]


@dataclass(frozen=True)
class Part:
    """One line of a dispute, as it was when something happened; `hold` names its hold, if it has one."""

    order: PaymentOrder
    share: OrderShare
    seller_minor: int
    commission_minor: int
    tax_minor: int
    hold: str
    fee_minor: int

    @classmethod
    def of(cls, line: DisputeLine, order: PaymentOrder, share: OrderShare) -> "Part":
        """Return a line as it is now."""
        return cls(
            order=order,
            share=share,
            seller_minor=line.seller_minor,
            commission_minor=line.commission_minor,
            tax_minor=line.tax_minor,
            hold=line.hold_subject,
            fee_minor=line.fee_minor,
        )


@dataclass(frozen=True)
class Books:
    """Where a locked dispute is posted, in the round in which it was when this was made."""

    dispute: Dispute
    round: int
    by: str = SYSTEM

    @requires_transaction
    def withdrawn(self, movement: DisputeMovement, held: Sequence[Part]) -> None:
        """The provider took the money and its fee (C1); what sellers bear is held with it (C2)."""
        parts = self._taken(held)
        self._post(
            *dispute_entries(
                posting=self._posting(),
                accounts=self._accounts(),
                dispute_id=self.dispute.id,
                movement_id=movement.id,
                charge_id=self.dispute.charge_id,
                amount_minor=movement.amount_minor,
                fee_minor=movement.fee_minor,
                sellers=parts,
            )
        )

    @requires_transaction
    def reinstated(self, movement: DisputeMovement) -> None:
        """The provider gave the money back (C3a)."""
        self._post(
            dispute_won_entry(
                posting=self._posting(),
                accounts=self._accounts(),
                dispute_id=self.dispute.id,
                movement_id=movement.id,
                charge_id=self.dispute.charge_id,
                amount_minor=movement.amount_minor,
                fee_minor=movement.fee_minor,
            )
        )

    @requires_transaction
    def held(self, parts: Sequence[Part]) -> None:
        """Hold what sellers bear without a movement (C2b)."""
        taken = self._taken(parts)
        if any(each.cover.total_minor for each in taken):
            self._post(
                dispute_hold_entry(
                    posting=self._posting(),
                    dispute_id=self.dispute.id,
                    sellers=taken,
                    dispute_round=self.round,
                )
            )

    @requires_transaction
    def released(self, parts: Sequence[Part], *, why: str) -> None:
        """Give sellers back what is held of them (C3b)."""
        held = [part for part in parts if part.hold and part.seller_minor]
        for part in held:
            self._end_hold(part, is_lost=False, why=why)
        if held:
            self._post(self._release(held))

    @requires_transaction
    def lost(self, parts: Sequence[Part], *, borne_by: str) -> None:
        """The buyer keeps the money: sellers pay with what is held (C4a), or the platform does (C4c, C3b)."""
        if borne_by == "seller" and parts:
            for part in parts:
                if part.hold and part.seller_minor:
                    self._end_hold(part, is_lost=True, why="lost")
            self._post(
                dispute_lost_entry(
                    posting=self._posting(),
                    accounts=self._returns(),
                    dispute_receivable=self._account("dispute_receivable"),
                    dispute_id=self.dispute.id,
                    orders=[self._lost_order(part) for part in parts],
                    dispute_round=self.round,
                )
            )
            return
        self._post(
            dispute_loss_entry(
                posting=self._posting(),
                chargeback_loss=self._plain("chargeback_loss"),
                dispute_receivable=self._account("dispute_receivable"),
                dispute_id=self.dispute.id,
                amount_minor=self.dispute.amount_minor,
                dispute_round=self.round,
            )
        )
        self.released(parts, why="the platform bears the loss")

    @requires_transaction
    def lost_undone(self, parts: Sequence[Part], *, borne_by: str) -> None:
        """It was won after it was lost: undo the loss (C5a and C3b, or C5c)."""
        if borne_by == "seller" and parts:
            drafts = [
                dispute_lost_undone_entry(
                    posting=self._posting(),
                    accounts=self._returns(),
                    dispute_receivable=self._account("dispute_receivable"),
                    dispute_id=self.dispute.id,
                    orders=[self._lost_order(part) for part in parts],
                    dispute_round=self.round,
                )
            ]
            held = [part for part in parts if part.seller_minor]
            if held:
                drafts.append(self._release(held))
            self._post(*drafts)
            return
        self._post(
            dispute_loss_undone_entry(
                posting=self._posting(),
                chargeback_loss=self._plain("chargeback_loss"),
                dispute_receivable=self._account("dispute_receivable"),
                dispute_id=self.dispute.id,
                amount_minor=self.dispute.amount_minor,
                dispute_round=self.round,
            )
        )

    @requires_transaction
    def fee_recharged(self, parts: Sequence[Part]) -> None:
        """Sellers pay the provider's fee: what they may spend first, a debt for the rest (C4b)."""
        paying = [part for part in parts if part.fee_minor]
        if not paying:
            return
        wallets = {part.order.id: _wallet(part.order) for part in paying}
        locked = lock_wallets(merchant_id=self.dispute.merchant_id, wallet_ids=set(wallets.values()))
        available = {key: there_is.available_minor for key, there_is in locked.items()}
        sellers = []
        for part in paying:
            wallet_id = wallets[part.order.id]
            cover = decide_cover(amount_minor=part.fee_minor, available_minor=available[wallet_id])
            available[wallet_id] -= cover.available_minor
            seller = seller_accounts_of(merchant_id=self.dispute.merchant_id, wallet_id=wallet_id)
            sellers.append(SellerPart(seller=seller, cover=cover))
        self._post(
            dispute_fee_entry(
                posting=self._posting(),
                chargeback_fee_recovered=self._plain("chargeback_fee_recovered"),
                dispute_id=self.dispute.id,
                sellers=sellers,
                dispute_round=self.round,
            )
        )

    @requires_transaction
    def fee_returned(self, parts: Sequence[Part]) -> None:
        """Sellers get the recharged fee back (C5b)."""
        paid = [part for part in parts if part.fee_minor]
        if paid:
            self._post(
                dispute_fee_returned_entry(
                    posting=self._posting(),
                    chargeback_fee_recovered=self._plain("chargeback_fee_recovered"),
                    dispute_id=self.dispute.id,
                    orders=[HeldOrder(self._seller(part), part.fee_minor) for part in paid],
                    dispute_round=self.round,
                )
            )

    def _taken(self, parts: Sequence[Part]) -> list[SellerPart]:
        """Decide who covers what is held, and note the holds."""
        takings = [Taking(part.order, part.share, part.seller_minor) for part in parts if part.seller_minor]
        taken = take_from_sellers(takings=takings, by=self.by)
        for part in parts:
            if part.hold and part.seller_minor:
                note_dispute_hold(
                    merchant_id=self.dispute.merchant_id,
                    wallet_id=_wallet(part.order),
                    subject=part.hold,
                    amount_minor=part.seller_minor,
                    by=self.by,
                )
        return [taken[part.order.id] for part in parts if part.seller_minor]

    def _end_hold(self, part: Part, *, is_lost: bool, why: str) -> None:
        end_dispute_hold(
            merchant_id=self.dispute.merchant_id, subject=part.hold, is_lost=is_lost, why=why, by=self.by
        )

    def _release(self, held: Sequence[Part]) -> EntryDraft:
        return dispute_release_entry(
            posting=self._posting(),
            dispute_id=self.dispute.id,
            orders=[HeldOrder(self._seller(part), part.seller_minor) for part in held],
            dispute_round=self.round,
        )

    def _lost_order(self, part: Part) -> LostOrder:
        return LostOrder(
            HeldOrder(self._seller(part), part.seller_minor), part.commission_minor, part.tax_minor
        )

    def _seller(self, part: Part) -> SellerAccounts:
        return seller_accounts_of(merchant_id=self.dispute.merchant_id, wallet_id=_wallet(part.order))

    def _post(self, *drafts: EntryDraft) -> None:
        post_netted(drafts=drafts)

    def _posting(self) -> Posting:
        return Posting(self.dispute.merchant_id, self.dispute.currency, clock.today())

    def _returns(self) -> ReturnAccounts:
        return ReturnAccounts(self._plain("commission_refunded"), self._plain("tax_payable"))

    def _accounts(self) -> DisputeAccounts:
        return DisputeAccounts(
            dispute_receivable=self._account("dispute_receivable"),
            chargeback_fee=self._plain("chargeback_fee"),
            psp_clearing=self._account("psp_clearing"),
        )

    def _account(self, role: str) -> int:
        provider = get_channel(channel_id=self.dispute.channel_id).name
        return self._plain(role, provider)

    def _plain(self, role: str, provider: str | None = None) -> int:
        return open_account(
            merchant_id=self.dispute.merchant_id,
            role=role,
            currency=self.dispute.currency,
            provider=provider,
        )


def _wallet(order: PaymentOrder) -> UUID:
    return open_wallet(
        merchant_id=order.merchant_id,
        owner_type="seller",
        owner_id=order.seller_id,
        currency=str(order.amount_currency),
    )
