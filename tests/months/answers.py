"""The answer key: what is planted, where it is, what is to be said about it and what is to be posted."""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from random import Random
from typing import Any

from tests.months.bank import Bank
from tests.months.days import Days, next_business
from tests.months.draws import Draws
from tests.months.options import Options
from tests.months.payments import Payments, references
from tests.months.plants import Plant, Plants
from tests.months.sheets import permutation
from tests.months.survey import Batch, Place, Survey

__all__ = ["Answers"]

Answer = dict[str, Any]
_CLEARING, _TRANSIT = "asset.psp_clearing", "asset.psp_settlement_in_transit"


class Answers:
    """Builds the key from the plants and from what the survey found."""

    def __init__(
        self, options: Options, draws: Draws, days: Days, payments: Payments, plants: Plants, survey: Survey,
        bank: Bank, file_names: dict[int, str], statement_name: Any,
    ) -> None:  # fmt: skip
        self._options, self._draws, self._days, self._payments = options, draws, days, payments
        self._plants, self._survey, self._bank = plants, survey, bank
        self._files, self._statement_name = file_names, statement_name
        self._inverse = lru_cache(maxsize=32)(self._places_in)

    def breaks(self) -> Iterator[Answer]:
        """Yield one answer for each plant."""
        for plant in self._plants.all:
            places = self._survey.places.get(plant.index, [])
            answer: Answer = {
                "id": plant.id,
                "kind": plant.kind.name,
                "expected": plant.kind.expected,
                "category": plant.kind.category,
                "also": list(plant.kind.also),
                "within_tolerance": plant.kind.within_tolerance,
                "currency": self._options.currency,
                "at_stake_minor": 0,
                "order": "",
                "reference": "",
                "transaction": "",
                "where": [self._where(place) for place in places],
                "expected_on": None,
                "clears_on": None,
                "postings": {},
            }
            if plant.kind.on in ("batch", "bank", "payout", "statement"):
                answer |= self._of_bank(plant)
            elif plant.kind.on == "nothing":
                answer |= self._of_nothing(plant, places)
            else:
                answer |= self._of_payment(plant, places)
            yield answer

    def _where(self, place: Place) -> Answer:
        """Return the file, the record in it (from 1, without the header), and its line where that is sure."""
        batch = self._survey.batches[place.batch]
        name = self._files[place.batch]
        order = self._options.shape.order
        record = place.record + self._before(batch)
        if order != "natural":
            record = self._inverse(place.batch if self._options.per == "day" else -1)[record]
        found: Answer = {"file": name, "batch": str(batch.day), "record": record + 1}
        if not self._options.shape.metadata_breaks:
            found["line"] = record + 2
        return found

    def _before(self, batch: Batch) -> int:
        if self._options.per == "day":
            return 0
        return sum(each.records for each in self._survey.batches.values() if each.day < batch.day)

    def _places_in(self, batch: int) -> list[int]:
        """Return where each record of a file in the natural order has gone to."""
        batches = self._survey.batches
        count = batches[batch].records if batch >= 0 else sum(each.records for each in batches.values())
        order = permutation(self._options.shape.order, count, self.row_order(batch))
        found = [0] * count
        for place, record in enumerate(order):
            found[record] = place
        return found

    def row_order(self, batch: int) -> Random:
        """Return the chance by which the rows of a file are shuffled."""
        return self._draws.plan("shape", "rows", batch)

    def _of_payment(self, plant: Plant, places: list[Place]) -> Answer:
        payment = self._payments[plant.day, plant.number]
        refs = references(self._options.profile, payment.token, payment.digits, "charge")
        gross = payment.gross_minor
        found: Answer = {
            "order": payment.order,
            "reference": refs.reference,
            "transaction": refs.transaction,
            "expected_on": str(date.fromordinal(self._days.settles(plant.day))),
        }
        if plant.kind.batches and plant.kind.name.startswith("late"):
            found["clears_on"] = str(date.fromordinal(plant.batch))
        line = places[0].line if places else None
        at_stake, postings = gross, {}
        match plant.kind.name:
            case "missing_internal":
                postings = {_CLEARING: gross, "liab.suspense_receipts": -gross}
            case "missing_external":
                # What reversing the capture would take; its share of seller and commission is the books' own.
                postings = {_CLEARING: -gross}
            case "amount_one_unit" | "amount" | "fx_rate" if line:
                at_stake = line.gross_minor - gross
                role = "exp.rounding" if plant.kind.within_tolerance else "exp.recon_difference"
                postings = {_CLEARING: at_stake, role: -at_stake} if plant.kind.name != "fx_rate" else {}
            case "fee" if line:
                at_stake = line.fee.total - self._fee(plant)
                postings = {"exp.psp_fee": at_stake, _CLEARING: -at_stake}
            case "duplicate" | "duplicate_next_file":
                postings = {_CLEARING: gross, "liab.customer_overpayment": -gross}
            case "reference_collision" | "currency" if line:
                at_stake = line.gross_minor
        return found | {"at_stake_minor": at_stake, "postings": postings}

    def _fee(self, plant: Plant) -> int:
        payment = self._payments[plant.day, plant.number]
        return self._bank.prices.fee(payment.method, payment.gross_minor).total

    def _of_nothing(self, plant: Plant, places: list[Place]) -> Answer:
        line = places[0].line
        amount = abs(line.gross_minor)
        found: Answer = {
            "reference": line.refs.reference,
            "transaction": line.refs.transaction,
            "order": line.merchant_reference,
            "at_stake_minor": amount,
        }
        if plant.kind.name == "reserve":
            # Held and released again: nothing is left, and in between it is the provider's reserve.
            found["postings"] = {"asset.psp_reserve_held": 0, _CLEARING: -amount, _TRANSIT: amount}
            found["clears_on"] = str(date.fromordinal(next_business(plant.batch, plant.kind.batches)))
        elif plant.kind.name == "unknown_chargeback":
            found["at_stake_minor"] = amount + line.fee.total
        return found

    def _of_bank(self, plant: Plant) -> Answer:
        if plant.kind.on == "statement":
            return {"where": [{"file": self._statement_name(date.fromordinal(plant.day))}]}
        found: Answer = {"where": [], "at_stake_minor": 0, "postings": {}}
        for day in self._days.business:
            for booking in self._bank.notable(day):
                if booking.plant == plant.index:
                    name = self._statement_name(date.fromordinal(day))
                    found["where"].append({"file": name, "reference": booking.reference})
                    found["at_stake_minor"] += booking.amount_minor
        if plant.kind.name in ("batch_total", "batch_over"):
            found["at_stake_minor"] = self._bank.short(plant, self._survey.batches[plant.batch])
        elif plant.kind.name == "batch_not_banked":
            found["at_stake_minor"] = self._survey.batches[plant.batch].payout
        elif plant.kind.name == "credit_twice":
            found["where"] = found["where"][1:]
            found["at_stake_minor"] //= 2
        elif plant.kind.on == "payout":
            found |= self._of_payout(plant, found["where"])
        if plant.kind.on in ("bank", "payout") or plant.kind.name == "credit_twice":
            found["postings"] = self._in_suspense(plant, found["at_stake_minor"])
        if plant.kind.on == "batch":
            days = [day for day, on in self._plants.on_batches.items() if on is plant]
            found["batches"] = [self._survey.batches[day].payout_reference for day in sorted(days)]
            if self._options.profile == "adyen":
                found["batches"] = [str(self._survey.batches[day].number) for day in sorted(days)]
        return found

    def _of_payout(self, plant: Plant, where: list[Answer]) -> Answer:
        payout = self._bank.payout(plant)
        stake = payout.amount_minor
        if plant.kind.name == "payout_amount":
            stake = self._bank.off(plant, payout)
        # Of what is booked twice, the second booking is the one too many.
        return {"reference": payout.reference, "at_stake_minor": stake, "where": where[-1:]}

    def _in_suspense(self, plant: Plant, stake: int) -> dict[str, int]:
        """Return what waits in suspense because nobody knows it: a credit, or a debit where it is below."""
        match plant.kind.name:
            case "payout_not_shown":
                return {}
            case "payout_twice":
                return {"asset.bank": -stake, "asset.suspense_payments": stake}
            case "payout_amount":
                more = max(stake, 0)
                return {"asset.bank": -more, "asset.suspense_payments": more} if more else {}
        role = "liab.suspense_receipts" if stake > 0 else "asset.suspense_payments"
        return {"asset.bank": stake, role: -stake}

    def days(self) -> Iterator[Answer]:
        """Yield what each batch adds up to, what has reached the bank by that day, and what is in transit.

        In transit is what batches have paid and the bank has not credited by the end of the day. What a short
        credit (batch_total) leaves open stays in it.
        """
        paid = banked = 0
        for day, batch in self._survey.batches.items():
            paid += batch.payout
            credited = sum(booking.amount_minor for booking in self._bank.credits.get(day, ()))
            banked += credited
            total = batch.total()
            yield {
                "day": str(batch.day),
                "file": self._files[day],
                "batch": str(batch.number) if self._options.profile == "adyen" else batch.payout_reference,
                "currency": self._options.currency,
                "count": total.count,
                "records": batch.records,
                "gross_minor": total.gross,
                "fee_minor": total.fee,
                "net_minor": total.net,
                "carried_in_minor": batch.carried_in,
                "payout_minor": batch.payout,
                "carried_out_minor": batch.carried_out,
                "bank_credits_minor": credited,
                "in_transit_minor": paid - banked,
                "kinds": {
                    kind: {
                        "count": each.count,
                        "gross_minor": each.gross,
                        "fee_minor": each.fee,
                        "net_minor": each.net,
                    }
                    for kind, each in sorted(batch.kinds.items())
                },
            }

    def counts(self) -> dict[str, int]:
        """Return how many there are of each kind of plant."""
        found: dict[str, int] = {}
        for plant in self._plants.all:
            found[plant.kind.name] = found.get(plant.kind.name, 0) + 1
        return found
