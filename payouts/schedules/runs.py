"""The run of a business day: every seller whose day it is is paid what it has, without being asked."""

import logging
from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Count, Sum

from core import clock
from core.dead_letters import bury
from core.ids import public_id
from core.job_runs import Outcome, Ran, last_done, renew, run_job
from core.transactions import at_edge, forbids_transaction
from merchants.selectors import scheduled_sellers
from merchants.types import ScheduledSeller
from payouts.calendar import cut_off_at, last_closed_day, previous_business_day
from payouts.models import Payout
from payouts.schedules.asking import QUEUE, Wish, ask
from payouts.schedules.due import SellerSchedule, read_schedule
from payouts.schedules.summary import Summary
from payouts.schedules.working_days import MerchantDays, ScheduleData, enabled_schedules
from wallet.selectors import spendable_of_sellers
from wallet.types import WalletData

__all__ = ["JOB", "ScheduleRunIncomplete", "run_schedules"]

log = logging.getLogger(__name__)
JOB = "payouts.schedule"
# Sellers that are looked at together; each payout has a transaction of its own.
PORTION = 200
# So often a run is begun again for what failed; then a person must look.
MOST_ATTEMPTS = 5


class ScheduleRunIncomplete(Exception):
    """Some payouts of a run could not be asked for; the run will be begun again for them."""


@forbids_transaction
def run_schedules() -> int:
    """Do, for every merchant, the run of its last business day whose cut-off has come; return how many.

    A day is run once. Days that were missed are made up for by one run, so that a seller is paid once and
    not once for each of them. What fails with one merchant stops no other, and is raised in the end.
    """
    done, errors = 0, []
    for days in enabled_schedules():
        try:
            done += _run_if_closed(days) is Outcome.DONE
        except Exception as error:
            log.exception("the payouts of %s", public_id("mer", days.merchant_id))
            errors.append(error)
    if errors:
        raise ExceptionGroup("runs of payouts that must be begun again", errors)
    return done


def _run_if_closed(days: MerchantDays) -> Outcome:
    schedule, scope = days.schedule, public_id("mer", days.merchant_id)
    day = last_closed_day(schedule, clock.now())
    last = last_done(job=JOB, scope=scope)
    # A day that was over before these working days were known is nobody's.
    if (last is not None and last >= day) or cut_off_at(schedule, day) <= days.known_since:
        return Outcome.ALREADY_DONE
    after = last or previous_business_day(schedule.calendar, day)
    return run_job(
        job=JOB,
        scope=scope,
        business_date=day,
        work=lambda ran: _Run(days.merchant_id, schedule, ran, after=after).work(),
    )


class _Run:
    """One run: the sellers due after one date and through its own, portion by portion."""

    def __init__(self, merchant_id: UUID, schedule: ScheduleData, ran: Ran, *, after: date) -> None:
        self.merchant_id, self.schedule, self.ran, self.after = merchant_id, schedule, ran, after
        self.name = f"schedule:{ran.business_date.isoformat()}"
        self.summary = Summary()

    def work(self) -> dict[str, Any]:
        """Ask for every payout that is due; return what came of it, for people.

        What is refused (by a gate, or as too little) is skipped until the seller is due again. What fails is
        tried again with the whole run; after the last try it is a dead letter. Raises ScheduleRunIncomplete.
        """
        last: UUID | None = None
        while portion := scheduled_sellers(merchant_id=self.merchant_id, after=last, limit=PORTION):
            self._pay(self._due(portion))
            last = portion[-1].id
            renew(self.ran)
        if self.summary.failed and self.ran.attempt < MOST_ATTEMPTS:
            raise ScheduleRunIncomplete(f"{len(self.summary.failed)} of {self.name}")
        for wish, error in self.summary.failed:
            at_edge(bury)(
                queue=QUEUE,
                subject=wish.subject,
                error=error,
                attempts=self.ran.attempt,
                merchant_id=self.merchant_id,
                detail=wish.as_detail(),
            )
        return self.summary.as_json(asked=self._asked())

    def _due(self, portion: Collection[ScheduledSeller]) -> list[tuple[ScheduledSeller, SellerSchedule]]:
        due = []
        for seller in portion:
            try:
                schedule = read_schedule(seller.payout_schedule)
            except ValueError as error:
                self.summary.cannot_read(seller.seller_account, str(error))
                continue
            if schedule.is_due(after=self.after, through=self.ran.business_date):
                due.append((seller, schedule))
        return due

    def _pay(self, due: Collection[tuple[ScheduledSeller, SellerSchedule]]) -> None:
        keys = [seller.id for seller, _ in due]
        wallets = spendable_of_sellers(merchant_id=self.merchant_id, seller_ids=keys)
        of_run = Payout.objects.filter(merchant_id=self.merchant_id, run=self.name, seller_id__in=keys)
        known = set(of_run.values_list("seller_id", "amount_currency"))
        for seller, schedule in due:
            for wallet in wallets.get(seller.id, ()):
                enough = schedule.is_enough(currency=wallet.currency, available_minor=wallet.available_minor)
                if enough and (seller.id, wallet.currency) not in known:
                    wish = self._wish(seller, wallet)
                    self.summary.note(wish, ask(wish, self.schedule))

    def _wish(self, seller: ScheduledSeller, wallet: WalletData) -> Wish:
        return Wish(
            merchant_id=self.merchant_id,
            seller_id=seller.id,
            seller_account=seller.seller_account,
            wallet_id=wallet.id,
            currency=wallet.currency,
            run=self.name,
        )

    def _asked(self) -> dict[str, dict[str, int]]:
        of_run = Payout.objects.filter(merchant_id=self.merchant_id, run=self.name)
        sums = of_run.values_list("amount_currency").annotate(Count("pk"), Sum("amount_minor"))
        return {
            currency: {"payouts": count, "amount_minor": int(total)}
            for currency, count, total in sums.order_by("amount_currency")
        }
