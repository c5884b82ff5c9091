"""A file that comes again and again: whatever changed or came back, the books say the last one once."""

from collections import Counter
from dataclasses import dataclass, replace
from random import Random

import pytest

from payments.models import Charge
from reconciliation.models import ReconciliationRun
from tests.reconciliation.resolving.conftest import Shop
from tests.reconciliation.resolving.conftest import named_charge as named_charge
from tests.reconciliation.resolving.conftest import shop as shop

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Said:
    """One line of a version: of a payment that we have, or of nothing that we know."""

    name: str
    kind: str
    gross: int
    fee: int

    @property
    def record(self) -> str:
        """As the shop writes it."""
        return f"{self.name}|{self.kind}|{self.gross}|{self.fee}"


# Which of them are parked by a rule (A1), stay under the line, or explain themselves.
STRANGERS = ("charge", "refund", "top_up")


def first_version(chance: Random, charges: dict[str, Charge]) -> list[Said]:
    """Some payments as they are, and as many strangers."""
    known = [
        Said(name, "charge", charge.amount_minor, chance.randrange(9))
        for name, charge in charges.items()
        if chance.random() < 0.8
    ]
    strangers = [
        Said(f"x_{number}", kind, chance.randrange(50, 900) * (-1 if kind == "refund" else 1), 0)
        for number, kind in enumerate(chance.choices(STRANGERS, k=6))
    ]
    return known + strangers


def next_version(chance: Random, said: list[Said], ever: dict[str, Said]) -> list[Said]:
    """Some lines go, some say something else, some come back; most stay as they are."""
    found = []
    for each in said:
        fate = chance.random()
        if fate < 0.2:
            continue
        if fate < 0.45:
            by = chance.choice([17, 40])
            each = replace(each, gross=each.gross + by if each.gross > 0 else each.gross - by)
        found.append(each)
    names = {each.name for each in found}
    found += [each for name, each in ever.items() if name not in names and chance.random() < 0.4]
    chance.shuffle(found)
    return found


def books_of(shop: Shop, charges: dict[str, Charge], said: list[Said]) -> None:
    """Compare the books with what this one version says, as if it were the only one there ever was."""
    books = shop.books()
    reported = {each.name: each for each in said if each.name in charges}
    for name, charge in charges.items():
        took = reported[name].gross if name in reported else 0
        assert books.get(("psp_clearing", str(charge.id)), 0) == charge.amount_minor - took, name
    strangers = [each for each in said if each.name not in charges]
    parked = Counter(-each.gross for each in strangers if each.kind == "charge")
    alone = Counter(-each.gross for each in strangers if each.kind != "charge")
    assert Counter(at(shop, "suspense_receipts")) == parked
    assert Counter(at(shop, "psp_clearing")) == alone
    assert shop.at("psp_fee") == sum(each.fee for each in said)
    assert shop.at("psp_settlement_in_transit") == sum(each.gross - each.fee for each in said)


def at(shop: Shop, role: str) -> list[int]:
    """What the keys of lines have open in a role, one by one."""
    return [minor for (each, key), minor in shop.books().items() if each == role and key.startswith("line:")]


@pytest.mark.parametrize("seed", range(5))
def test_the_books_say_the_last_version_once(shop: Shop, seed: int) -> None:
    """F-H: two to four versions; a line that is carried over is taken back where it was posted first."""
    chance = Random(seed)
    charges = {f"pi_{number}": shop.charge(f"pi_{number}", 1_000 * number) for number in range(1, 5)}
    ever: dict[str, Said] = {}
    said = first_version(chance, charges)
    for _ in range(chance.choice([2, 3, 3, 4])):
        shop.report(*(each.record for each in said), identity="again")
        books_of(shop, charges, said)
        ever |= {each.name: each for each in said}
        said = next_version(chance, said, ever)


def test_a_stranger_that_is_carried_twice_and_changes(shop: Shop) -> None:
    """Unknown in the first version, the same in the second, other in the third, gone in the fourth."""
    for gross, other in ((500, 1), (500, 2), (600, 2)):
        shop.report(f"x|refund|-{gross}|0", f"y|refund|-{other}|0", identity="again")
    assert sorted(at(shop, "psp_clearing")) == [2, 600]
    shop.report("y|refund|-2|0", identity="again")
    assert at(shop, "psp_clearing") == [2]


def test_a_line_that_was_matched_by_hand_and_is_not_it_stands_where_it_stood(shop: Shop) -> None:
    """Matched in one version, carried, taken apart in the next one, and other in the one after."""
    shop.report("x|charge|700|0", "y|refund|-1|0", identity="again")
    charge = shop.charge("pi_other", 700)
    shop.settle(shop.rows()[0], "match", **named_charge(charge))
    shop.report("x|charge|700|0", "y|refund|-2|0", identity="again")
    [match] = shop.matches(line_id__isnull=False)
    shop.unmatch(match)
    assert (at(shop, "suspense_receipts"), at(shop, "psp_clearing")) == ([-700], [2])
    assert shop.books()["psp_clearing", str(charge.id)] == 700
    shop.report("x|charge|650|0", "y|refund|-2|0", identity="again")
    assert ReconciliationRun.objects.filter(merchant_id=shop.merchant_id).count() == 3
    assert (at(shop, "suspense_receipts"), at(shop, "psp_clearing")) == ([-650], [2])


def test_what_would_be_without_going_back_to_the_first(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: taken back under the line of the version before, both keys stay open."""
    monkeypatch.setattr("reconciliation.posting.reading.posted_as", lambda ids: {each: each for each in ids})
    for gross, other in ((500, 1), (500, 2), (600, 2)):
        shop.report(f"x|refund|-{gross}|0", f"y|refund|-{other}|0", identity="again")
    assert sorted(at(shop, "psp_clearing")) == [-500, 2, 500, 600]
