"""A marketplace with one charge over three sellers, and all that can happen to it, by its own services."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.drain import Claim, get_drain
from core.ids import public_id, uuid7
from core.money import format_minor
from core.transactions import at_edge
from events.types import InboundEvent
from ledger.services import open_account
from ledger.templates.entry import credit
from merchants.services import create_seller
from payments.locks import claim_due_operations
from payments.models import Charge, PaymentOrder, PspOperation
from payments.psp.disputes import DisputeStage, PspDispute, PspMovement
from payments.services import (
    execute_operation,
    on_dispute_event,
    on_provider_event,
    on_refund_event,
    request_refund,
    start_attempt,
)
from payments.types import AttemptRequest, RefundRequest
from tests.payments.captured import capture
from tests.payments.conftest import Shop, open_shop
from tests.stateful.parts_model import Terms
from tests.stateful.parts_provider import PaperProvider
from wallet.models import Wallet
from wallet.services import cancel_hold, confirm_hold, expire_holds, try_hold

__all__ = ["SELLERS", "Watch", "World"]

SELLERS = ("s-one", "s-two", "s-three")
DAY = 24 * 3600


class Watch:
    """A clock that stands until it is moved, so that a history is the same when it is played again."""

    moment = datetime.now(UTC)

    @classmethod
    def now(cls) -> datetime:
        """Instead of the product's clock."""
        return cls.moment


class World:
    """One merchant, three sellers, one checkout that is paid on the provider's page."""

    def __init__(self, terms: Sequence[Terms], amounts: Sequence[int], *, fails_first: bool) -> None:
        PaperProvider.open()
        Watch.moment = datetime.now(UTC)
        self.provider = PaperProvider()
        self.shop: Shop = open_shop(None, "http://127.0.0.1:9")
        self.merchant_id = self.shop.store.merchant_id
        self.seller_ids = [self._seller(name, each) for name, each in zip(SELLERS, terms, strict=True)]
        body = {
            "checkout_id": f"c-{uuid.uuid4().hex[:12]}",
            "buyer_info": {"buyer_account": "buyer"},
            "payment_orders": [
                self.shop.order(format_minor(amount, "USD"), seller)
                for amount, seller in zip(amounts, SELLERS, strict=True)
            ],
        }
        if fails_first:
            body["credit_card_info"] = {"token": "pm_card_chargeDeclined"}
        self.checkout_id: str = self.shop.accept(body)["id"]
        self.old: Charge | None = None
        # Our requests for refunds as the provider knows them, by the id of the refund, or of the request
        # that gives late money back.
        self.names: dict[str, str] = {}
        self.work()
        if fails_first:
            self.old = Charge.objects.get(merchant_id=self.merchant_id)
            self._try_again()
            self.work()
        self.charge = Charge.objects.filter(merchant_id=self.merchant_id).latest("id")
        rows = PaymentOrder.objects.filter(checkout_id=self.charge.checkout_id)
        self.order_ids: list[UUID] = list(rows.order_by("position").values_list("id", flat=True))

    def _seller(self, name: str, terms: Terms) -> UUID:
        made = at_edge(create_seller)(
            merchant_id=self.merchant_id,
            seller_account=name,
            name=name,
            country="US",
            commission_bps=terms.commission_bps,
            commission_fixed_minor=terms.commission_fixed,
            commission_fixed_currency="USD" if terms.commission_fixed else "",
            tax_bps=terms.tax_bps,
            settlement_delay_days=terms.delay_days,
            reserve_bps=terms.reserve_bps,
            reserve_days=30 if terms.reserve_bps else 0,
        )
        return made.id

    def _try_again(self) -> None:
        request = AttemptRequest(payment_method="hosted_page", return_url="https://store.example/back")
        at_edge(start_attempt)(
            merchant_id=self.merchant_id, reference=self.checkout_id, request=request, actor="key:test"
        )

    def work(self) -> None:
        """Do every operation that is due."""
        while claims := at_edge(claim_due_operations)(limit=32):
            for row in claims:
                execute_operation(claim=Claim(*row))

    def pass_time(self, seconds: int) -> None:
        """Let time pass and do what is due then."""
        Watch.moment += timedelta(seconds=seconds)
        self.work()

    def pay(self) -> None:
        """The buyer pays on the page."""
        page = self.charge.session_reference
        assert page
        PaperProvider.book.paid_pages.add(page)
        self.tell(on_provider_event, payment=self.provider.page(page))
        self.work()
        self.charge.refresh_from_db()

    def told_of(self, refund_id: str) -> str:
        """What the provider told last of a refund: done or failed; open before it did."""
        return PaperProvider.book.told.get(self.names[refund_id], "open")

    def has_arrived(self, refund_id: str) -> bool:
        """Whether the provider has a refund."""
        return self.names[refund_id] in PaperProvider.book.refunds

    def pay_late(self, answer: str) -> str:
        """The first charge brings its money after all; return the id of what gives it back."""
        assert self.old is not None and self.old.psp_reference
        PaperProvider.book.answers = [answer]
        self.tell(on_provider_event, payment=self.provider.paid_late(self.old.psp_reference))
        self.work()
        found = PspOperation.objects.get(charge=self.old, kind="refund")
        self.names[str(found.id)] = public_id("op", found.id)
        return str(found.id)

    def tell(self, door: Any, *, times: int = 1, **payload: Any) -> None:
        """An event of the provider comes in."""
        now = clock.now()
        for _ in range(times):
            event = InboundEvent(
                id=uuid7(),
                merchant_id=self.merchant_id,
                channel_id=self.shop.channel.id,
                provider="stripe",
                event_id=f"evt_{uuid.uuid4().hex}",
                type="test",
                payload=payload,
                account="",
                occurred_at=now,
                received_at=now,
            )
            at_edge(door)(delivery=event)

    def refund(self, order: int, amount: int | None, answer: str, *, to_card: bool) -> str:
        """A store's refund, worked on; return its id. Raises as the service."""
        wanted = RefundRequest(
            payment_order_id=public_id("pay", self.order_ids[order]),
            amount="" if amount is None else format_minor(amount, "USD"),
            destination="instrument" if to_card else "wallet",
        )
        made = at_edge(request_refund)(merchant_id=self.merchant_id, request=wanted, actor="key:test")
        if to_card:
            PaperProvider.book.answers = [answer]
            self.work()
            operation = PspOperation.objects.get(refund_id=made.id)
            self.names[str(made.id)] = public_id("op", operation.id)
        return str(made.id)

    def end_refund(self, refund_id: str, *, is_done: bool, times: int = 1) -> None:
        """The provider tells how a refund ended: at last, or after all."""
        seen = self.provider.end_refund(self.names[refund_id], is_done=is_done)
        self.tell(on_refund_event, times=times, refund=seen)

    def dispute(self, reference: str, amount: int, stage: str, moves: Sequence[int], times: int = 1) -> None:
        """The provider tells of a dispute; `moves` are the fees of all movements, out and in by turns."""
        assert self.charge.psp_reference
        at = clock.now() - timedelta(minutes=1)
        seen = PspDispute(
            reference=reference,
            payment_reference=self.charge.psp_reference,
            stage=DisputeStage(stage),
            amount_minor=amount,
            currency="USD",
            reason="fraudulent",
            network_reason_code="10.4",
            opened_at=at,
            evidence_due_at=None,
            submissions=0,
            evidence_mark="",
            movements=tuple(
                PspMovement(f"{reference}_{number}", number % 2 == 0, amount, fee, "USD", at)
                for number, fee in enumerate(moves)
            ),
        )
        self.tell(on_dispute_event, times=times, dispute=seen)

    def release(self, days: int) -> None:
        """Days pass; what is due is released, also of the reserve."""
        self.pass_time(days * DAY)
        get_drain("releases").run()
        while expire_holds():
            pass

    def sell(self, seller: int, amount: int) -> str:
        """Another buyer's payment, captured; return the id of its charge."""
        (order,) = capture(self.shop, self.shop.order(format_minor(amount, "USD"), SELLERS[seller]))
        return str(Charge.objects.get(lines__order=order).id)

    def wallet(self, seller: int) -> Wallet | None:
        """A seller's wallet, if there is one."""
        return Wallet.objects.filter(merchant_id=self.merchant_id, owner_id=self.seller_ids[seller]).first()

    def available(self, seller: int) -> int:
        """What a seller may spend."""
        wallet = self.wallet(seller)
        return wallet.available_minor if wallet else 0

    def try_payout(self, seller: int, amount: int) -> str:
        """Money is set aside to be paid out."""
        wallet, subject = self.wallet(seller), str(uuid7())
        assert wallet is not None
        at_edge(try_hold)(
            merchant_id=self.merchant_id,
            wallet_id=wallet.id,
            purpose="payout",
            subject=subject,
            amount_minor=amount,
        )
        return subject

    def end_payout(self, seller: int, subject: str, amount: int, *, is_sent: bool) -> None:
        """It left, or it came back."""
        wallet = self.wallet(seller)
        assert wallet is not None
        if is_sent:
            at_edge(self._send)(subject, amount)
        else:
            at_edge(cancel_hold)(
                merchant_id=self.merchant_id, wallet_id=wallet.id, purpose="payout", subject=subject
            )

    def _send(self, subject: str, amount: int) -> None:
        account = open_account(
            merchant_id=self.merchant_id, role="payouts_in_transit", currency="USD", provider="rail"
        )
        confirm_hold(
            merchant_id=self.merchant_id,
            purpose="payout",
            subject=subject,
            settled_minor=amount,
            legs=[credit(account, amount, key=subject)],
        )
