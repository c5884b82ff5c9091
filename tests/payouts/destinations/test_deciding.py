"""Who says yes to an account, when money may be sent there, and what the database refuses."""

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from core.approvals import FourEyesRequired
from core.audit_trail import ReasonRequired
from core.errors import DomainError, InvalidState, NotFound
from core.field_rotation import rotate_model
from core.fields import DecryptionFailed
from core.ids import public_id, uuid7
from core.models import AuditRecord, OutboxEvent
from core.settings_store import put_setting
from core.transactions import at_edge
from payouts.errors import (
    DestinationAltered,
    DestinationCoolingDown,
    DestinationUnknown,
    DestinationUnsupported,
    DestinationUnverified,
)
from payouts.models import Destination, DestinationKey
from payouts.selectors import (
    account_details,
    closed_because,
    is_usable,
    twins_of,
    usable_destination,
)
from payouts.services import make_default
from tests.core.test_encrypted_fields import key
from tests.payouts.destinations.cast import ADDER, GERMAN, VERIFIER, Sellers, open_sellers

pytestmark = pytest.mark.database
OTHER = GERMAN | {"iban": "DE75512108001245126199"}


def usable(sellers: Sellers, reference: str | None = None, currency: str = "EUR") -> Any:
    """Where a payout of ann would go."""
    return usable_destination(
        merchant_id=sellers.merchant_id, seller_id=sellers.ann, currency=currency, reference=reference
    )


def refusal(sellers: Sellers, *args: Any, **options: Any) -> type[Exception]:
    """The error in place of a destination."""
    with pytest.raises(DomainError) as caught:
        usable(sellers, *args, **options)
    assert caught.value.param == "destination"
    return type(caught.value)


def test_an_account_is_usable_when_it_is_verified_and_cooled_down(sellers: Sellers, cooled: Any) -> None:
    """A-H3, F-F6: the first account of a seller waits as well, and a yes does not shorten the wait."""
    assert refusal(sellers) is DestinationUnknown
    made = sellers.add()
    assert refusal(sellers) is refusal(sellers, made.public_id) is DestinationUnverified
    sellers.verify(made)
    assert refusal(sellers) is DestinationCoolingDown
    assert OutboxEvent.objects.filter(subject=made.public_id).count() == 2
    row = Destination.objects.get()
    assert (row.usable_from - row.created_at).total_seconds() == 48 * 3600
    assert not is_usable(row, at=row.usable_from - (row.usable_from - row.created_at))
    assert closed_because(row, at=row.usable_from) is None
    cooled()
    assert usable(sellers).id == usable(sellers, made.public_id).id == made.id


def test_there_is_no_falling_back_to_another_account(sellers: Sellers, cooled: Any) -> None:
    """A-D7: a new default is waited for, and never passed over for the one before it."""
    first = sellers.add()
    sellers.verify(first)
    cooled()
    assert usable(sellers).id == first.id
    second = sellers.add(details=OTHER, make_default=True)
    sellers.verify(second)
    assert refusal(sellers) is DestinationCoolingDown
    assert usable(sellers, first.public_id).id == first.id
    sellers.decide("remove_destination", second)
    assert refusal(sellers, second.public_id) is DestinationUnknown
    assert usable(sellers).id == first.id, "the only one there is"


@pytest.mark.parametrize("reference", ["dst_x", "ann", "\x00"])
def test_what_is_no_account_of_the_seller(sellers: Sellers, cooled: Any, reference: str) -> None:
    theirs = sellers.add("bob")
    sellers.verify(theirs)
    cooled()
    assert refusal(sellers, theirs.public_id) is refusal(sellers, reference) is DestinationUnknown


def test_an_account_takes_its_own_currency(sellers: Sellers) -> None:
    made = sellers.add()
    assert refusal(sellers, made.public_id, currency="USD") is DestinationUnsupported
    assert refusal(sellers, currency="USD") is DestinationUnknown


@pytest.mark.parametrize("by", [ADDER, "key_01kb8y6q3zf4vt9c2m7w5x8rhe", "system", ""])
def test_another_person_says_yes(sellers: Sellers, by: str) -> None:
    """I30: not who added it, no key, nobody."""
    made = sellers.add()
    with pytest.raises(FourEyesRequired):
        sellers.verify(made, by=by)
    assert Destination.objects.get().status == "UNVERIFIED"


def test_a_person_may_say_yes_to_what_a_key_added(sellers: Sellers) -> None:
    made = sellers.add(by=f"key:{uuid7()}")
    verified = sellers.verify(made, by=ADDER)
    assert (verified.status, verified.verified_by) == ("VERIFIED", ADDER)
    record = AuditRecord.objects.get(action="destination.verify")
    assert (record.actor, record.reason, record.subject) == (ADDER, "a bank letter", made.public_id)


@pytest.mark.parametrize(
    "columns",
    [
        f"status = 'VERIFIED', verified_at = now(), verified_by = '{ADDER}'",
        "status = 'VERIFIED', verified_at = now(), verified_by = 'system'",
        f"status = 'VERIFIED', verified_by = '{VERIFIER}'",
        "status = 'VERIFIED'",
        "currency = 'USD'",
        "usable_from = now()",
        "seller_id = gen_random_uuid()",
        "fingerprint = sha256('x')",
        "added_by = 'user:9'",
        "last4 = '0000'",
    ],
)
def test_the_database_refuses_what_the_services_never_do(sellers: Sellers, columns: str) -> None:
    """I30, F-F6: a yes without a second person, and another account under the same id."""
    sellers.add()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE payouts_destination SET {columns}")


@pytest.mark.parametrize("table", ["payouts_destination", "payouts_payoutblock", "payouts_destinationkey"])
def test_nothing_is_deleted(sellers: Sellers, table: str) -> None:
    sellers.add()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(f"DELETE FROM {table}")


def test_one_person_is_enough_to_say_no(sellers: Sellers) -> None:
    made = sellers.add()
    sellers.verify(made)
    with pytest.raises(ReasonRequired):
        sellers.decide("reject_destination", made, reason=" ")
    rejected = sellers.decide("reject_destination", made, by=ADDER)
    assert (rejected.status, rejected.is_default) == ("REJECTED", False)
    assert refusal(sellers, made.public_id) is DestinationUnverified
    with pytest.raises(InvalidState):
        sellers.verify(made)
    assert sellers.add().status == "UNVERIFIED", "the same account may be tried again"


def test_removing_always_works_and_is_told_once(sellers: Sellers) -> None:
    made = sellers.add()
    sellers.payout(sellers.verify(made))
    for _ in range(2):
        assert sellers.decide("remove_destination", made).status == "REMOVED"
    assert OutboxEvent.objects.filter(type="destination.removed").count() == 1
    for name in ("verify_destination", "reject_destination"):
        with pytest.raises(InvalidState):
            sellers.decide(name, made)
    again = sellers.add()
    assert [each.id for each in twins_of(merchant_id=sellers.merchant_id, destination_id=again.id)] == [
        made.id
    ]


def test_another_merchant_s_account_is_not_there(sellers: Sellers) -> None:
    """A-E1: also for the services that people's pages call."""
    made = open_sellers().add()
    for name in ("verify_destination", "reject_destination", "remove_destination"):
        with pytest.raises(NotFound):
            sellers.decide(name, made)
    for read in (account_details, twins_of):
        with pytest.raises(NotFound):
            read(merchant_id=sellers.merchant_id, destination_id=made.id)


def test_the_default_is_chosen_among_verified_ones(sellers: Sellers, cooled: Any) -> None:
    first, second = sellers.add(), sellers.add(details=OTHER)
    with pytest.raises(InvalidState), transaction.atomic():
        _default(sellers, second.id)
    sellers.verify(second)
    with transaction.atomic():
        assert _default(sellers, second.id).is_default
    assert not Destination.objects.get(pk=first.id).is_default
    cooled()
    assert usable(sellers).id == second.id


def _default(sellers: Sellers, destination_id: Any) -> Any:
    return make_default(merchant_id=sellers.merchant_id, destination_id=destination_id, by=ADDER)


def test_how_long_a_new_account_waits_is_the_merchant_s(sellers: Sellers) -> None:
    at_edge(put_setting)(
        name="payouts.destination_cool_down_hours",
        value=0,
        actor="user:1",
        reason="sellers sign in with a passkey",
        scope=public_id("mer", sellers.merchant_id),
    )
    made = sellers.add()
    sellers.verify(made)
    assert usable(sellers).id == made.id


@pytest.mark.parametrize("how", ["UNVERIFIED", "REJECTED", "REMOVED"])
def test_the_database_sends_nothing_to_an_account_that_is_not_verified(sellers: Sellers, how: str) -> None:
    """F-F6, A-D7: whatever the engine saw before, and whoever writes the row."""
    made = sellers.add()
    payout = sellers.payout(made)
    if how != "UNVERIFIED":
        sellers.verify(made)
        name = {"REJECTED": "reject_destination", "REMOVED": "remove_destination"}[how]
        sellers.decide(name, made)
    with pytest.raises(IntegrityError, match="is not verified"):
        sellers.send(payout)


def test_a_payout_goes_to_its_own_seller_s_account_in_its_currency(sellers: Sellers) -> None:
    """I29: PostgreSQL compares all four."""
    ann, bob = sellers.add(), sellers.add("bob")
    with pytest.raises(IntegrityError):
        sellers.payout(ann, destination_id=bob.id)
        _now()
    with pytest.raises(IntegrityError):
        sellers.payout(ann, seller_id=sellers.bob)
        _now()


def _now() -> None:
    connection.check_constraints()


def test_an_account_of_another_row_does_not_open(sellers: Sellers) -> None:
    """A-H13: a ciphertext that somebody moved to a verified account pays nobody."""
    ann, bob = sellers.add(), sellers.add("bob", details=OTHER)
    assert account_details(merchant_id=sellers.merchant_id, destination_id=ann.id) == GERMAN
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payouts_destination SET details ="
            " (SELECT details FROM payouts_destination WHERE id = %s) WHERE id = %s",
            [bob.id, ann.id],
        )
    with pytest.raises(DecryptionFailed):
        account_details(merchant_id=sellers.merchant_id, destination_id=ann.id)


def test_an_account_that_was_encrypted_anew_is_still_the_one_that_was_verified(sellers: Sellers) -> None:
    """F-F6: who has the keys and the table writes other details, and the fingerprint tells."""
    made = sellers.add()
    row = Destination.objects.get()
    row.details = OTHER
    row.save(update_fields=["details"])
    with pytest.raises(DestinationAltered):
        account_details(merchant_id=sellers.merchant_id, destination_id=made.id)


def test_fingerprints_survive_the_rotation_of_keys(busy_sellers: Sellers, settings: Any) -> None:
    """A-H13: the secret that they are made with is encrypted anew, and stays the same."""
    first = busy_sellers.add()
    settings.FIELD_KEYS = [key("new", 2), *settings.FIELD_KEYS]
    for model in (Destination, DestinationKey):
        report = rotate_model(model=model)
        assert (report.changed, report.failed) == (1, [])
    settings.FIELD_KEYS = [key("new", 2)]
    assert account_details(merchant_id=busy_sellers.merchant_id, destination_id=first.id) == GERMAN
    assert busy_sellers.add("bob").fingerprint == first.fingerprint
