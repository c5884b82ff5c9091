"""What a month's files add up to: each row, each file, the bank, and the days of the answer key."""

from decimal import Decimal
from itertools import pairwise, takewhile

import pytest

from tests.months import Month, Shape, month
from tests.months.reading import Statement, bank_statements, body, net, rows

MONTHS = [
    {"profile": "stripe"},
    {"profile": "adyen"},
    {"profile": "adyen", "currency": "JPY", "market": "us"},
    {"profile": "stripe", "currency": "KWD", "month": "2027-03"},
]


@pytest.fixture(scope="module", params=MONTHS, ids=lambda given: "-".join(given.values()))
def made(request: pytest.FixtureRequest) -> Month:
    return month(**{"seed": 3, "size": 2000, "month": "2026-10", **request.param})


@pytest.fixture(scope="module")
def statements(made: Month) -> list[Statement]:
    return list(bank_statements(made))


def minor(amount: Decimal, currency: str) -> int:
    found = amount * {"JPY": 1, "KWD": 1000}.get(currency, 100)
    assert found == int(found), f"{amount} {currency}"
    return int(found)


def test_each_row_adds_up(made: Month) -> None:
    """Stripe: net = gross - fee. Adyen: gross × rate - net = the parts, to one minor unit where a rate is."""
    unit = Decimal(1) / {"JPY": 1, "KWD": 1000}.get(made.options.currency, 100)
    count = 0
    for file in made.psp_files():
        for row in rows(file):
            count += 1
            if made.options.profile == "stripe":
                assert Decimal(row["net"]) == Decimal(row["gross"]) - Decimal(row["fee"])
            elif row["Exchange Rate"]:
                gross = Decimal(row["Gross Credit (GC)"] or 0) - Decimal(row["Gross Debit (GC)"] or 0)
                names = ("Commission (NC)", "Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)")
                parts = sum(Decimal(row[name] or 0) for name in names)
                left = abs(gross * Decimal(row["Exchange Rate"]) - net(row) - parts)
                assert left == 0 if row["Exchange Rate"] == "1" else left < unit, row
    assert count > 1900


def test_each_file_adds_up_to_its_day(made: Month) -> None:
    days = list(made.days())
    assert len(days) == len(made._days.business) and sum(day["count"] for day in days) > 1900
    for file, day in zip(made.psp_files(), days, strict=True):
        found = rows(file)
        assert (file.name, str(file.day), len(found)) == (day["file"], day["day"], day["records"])
        total = minor(sum(map(net, found), Decimal(0)), made.options.currency)
        assert day["net_minor"] == day["gross_minor"] - day["fee_minor"]
        assert sum(kind["net_minor"] for kind in day["kinds"].values()) == day["net_minor"]
        if made.options.profile == "adyen":
            # With the payout row, and what is carried, nothing is left.
            assert total == 0 and {row["Batch Number"] for row in found} == {day["batch"]}
            assert (
                day["carried_in_minor"] + day["net_minor"] == day["payout_minor"] + day["carried_out_minor"]
            )
        else:
            assert total == day["net_minor"] == day["payout_minor"]
            assert {row["automatic_payout_id"] for row in found} == {day["batch"]}


def test_statements_follow_each_other_and_add_up(made: Month, statements: list[Statement]) -> None:
    for statement in statements:
        assert statement.opening + sum(entry.amount for entry in statement.entries) == statement.closing
        for entry in statement.entries:
            assert sum(amount for amount, _ in entry.details) == entry.amount
            assert entry.total in (None, abs(entry.amount))
    for before, after in pairwise(statements):
        assert (after.opening, after.number) == (before.closing, before.number + 1)
    references = [entry.reference for statement in statements for entry in statement.entries]
    assert len(set(references)) == len(references)


def test_the_bank_credits_what_the_batches_pay(made: Month, statements: list[Statement]) -> None:
    """All batches but the last, which is still in transit, less what is planted."""
    days = list(made.days())
    by_statement = {statement.name: statement for statement in statements}
    short = sum(answer["at_stake_minor"] for answer in made.answer_key() if answer["kind"] == "batch_total")
    credited = 0
    for day in days:
        statement = by_statement[f"camt053-{day['day']}.xml"]
        texts = ("STRIPE PAYOUT", "TX")
        found = sum(entry.amount for entry in statement.entries if entry.text.startswith(texts))
        assert minor(Decimal(found), made.options.currency) == day["bank_credits_minor"]
        credited += day["bank_credits_minor"]
        assert day["in_transit_minor"] >= day["payout_minor"] > 0
    assert short > 0 and days[-1]["in_transit_minor"] == days[-1]["payout_minor"] + short
    assert credited + short == sum(day["payout_minor"] for day in days[:-1])


def test_a_batch_is_named_in_the_text_of_its_credit(made: Month, statements: list[Statement]) -> None:
    texts = " ".join(entry.text for statement in statements for entry in statement.entries)
    for day in list(made.days())[:-1]:
        wanted = day["batch"] if made.options.profile == "stripe" else f"batch {day['batch']},"
        assert wanted in texts


def test_a_loss_is_carried_to_the_next_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adyen pays nothing out of a batch that is below nothing; both batches say what is carried."""
    from tests.months import prices

    monkeypatch.setattr(prices, "CHARGEBACK_FEE", 30_000_000)
    made = month(1, 2000, "2026-10", "adyen")
    days = list(made.days())
    carried = [day["carried_out_minor"] for day in days]
    assert min(carried) < 0
    for before, after, file in zip(days, days[1:], list(made.psp_files())[1:], strict=False):
        assert after["carried_in_minor"] == before["carried_out_minor"]
        assert sum(map(net, rows(file))) == 0
    list(bank_statements(made))


def test_mt940_says_what_camt_says() -> None:
    camt, swift = (month(5, 1000, "2026-10", bank_format=name) for name in ("camt.053", "mt940"))
    for statement, file in zip(bank_statements(camt), swift.bank_files(), strict=True):
        lines = body(file).decode("ascii").split("\r\n")
        assert all(len(line) <= 69 for line in lines)
        entries = [line for line in lines if line.startswith(":61:")]
        found = [_swift_amount(line[14:]) * (-1 if line[14] == "D" else 1) for line in entries]
        assert found == [entry.amount for entry in statement.entries]
        for tag, balance in ((":60F:", statement.opening), (":62F:", statement.closing)):
            line = next(line for line in lines if line.startswith(tag))
            assert Decimal(line[15:].replace(",", ".")) * (-1 if line[5] == "D" else 1) == balance


def _swift_amount(text: str) -> Decimal:
    digits = "".join(takewhile(lambda letter: letter.isdigit() or letter == ",", text[1:]))
    return Decimal(digits.replace(",", "."))


def test_one_file_of_the_month_has_the_rows_of_its_days() -> None:
    days, whole = (month(2, 1000, "2026-10", per=per) for per in ("day", "month"))
    (file,) = whole.psp_files()
    assert rows(file) == [row for each in days.psp_files() for row in rows(each)]
    named = {place["file"] for answer in whole.answer_key() for place in answer["where"]}
    assert file.name in named and not any(name.startswith("payout") for name in named - {file.name})


def test_a_collective_order_of_many_is_one_entry() -> None:
    made = month(1, 50, "2026-10", payouts_per_day=500, batch_of_payouts=10_000, shape=Shape())
    first = next(iter(bank_statements(made)))
    assert max(len(entry.details) for entry in first.entries) == 350
