"""What is an account and what is not, before any bank is asked."""

import string
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from core.countries import COUNTRIES
from core.currencies import ISO_EXPONENTS
from core.errors import DomainError
from payouts.destinations.accounts import FIELDS, Account, checked_account
from payouts.destinations.areas import _IBAN_OF, _OWN, _SEPA, iban_country, takes
from payouts.errors import DestinationInvalid, DestinationUnsupported
from tests.payouts.destinations.ibans import EXAMPLES

PLACES = sorted((country, "EUR") for country in _SEPA) + sorted(_OWN.items())
US = {
    "holder_name": "Ann Bell",
    "routing_number": "111000025",
    "account_number": "000123456789",
    "account_type": "checking",
}


def iban(number: str, *, country: str = "DE", currency: str = "EUR", **more: str) -> Account:
    details = {"holder_name": "Ann Bell", "iban": number, **more}
    return checked_account(kind="iban", country=country, currency=currency, details=details)


def refused(call: Any, *args: Any, **options: Any) -> str | None:
    """Return the field that the refusal names."""
    with pytest.raises(DestinationInvalid) as caught:
        call(*args, **options)
    return caught.value.param


@pytest.mark.parametrize(("country", "currency"), PLACES)
def test_the_registry_s_iban_of_every_country_is_one(country: str, currency: str) -> None:
    number = EXAMPLES[iban_country(country)]
    found = iban(number, country=country, currency=currency)
    assert (found.details["iban"], found.last4) == (number, number[-4:])
    groups = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    assert iban(groups.lower(), country=country, currency=currency).details == found.details


def test_the_table_of_money_names_what_there_is() -> None:
    assert {*_OWN, *_SEPA, *_IBAN_OF} <= COUNTRIES
    assert set(_OWN.values()) <= set(ISO_EXPONENTS)


@given(number=st.sampled_from(sorted(EXAMPLES.values())), digits=st.integers(0, 99))
@example(number=EXAMPLES["NO"], digits=(93 + 97) % 100)
def test_no_other_check_digits_are_taken(number: str, digits: int) -> None:
    """Also those that leave the same rest: 00, 01 and 99."""
    assume(f"{digits:02}" != number[2:4])
    changed = f"{number[:2]}{digits:02}{number[4:]}"
    country = next(place for place, _ in PLACES if iban_country(place) == number[:2]) if _of(number) else "DE"
    currency = dict(PLACES).get(country, "EUR")
    assert refused(iban, changed, country=country, currency=currency) == "iban"


@pytest.mark.parametrize("number", sorted(EXAMPLES.values()))
def test_the_digits_that_leave_the_same_rest_are_refused(number: str) -> None:
    twins = [digits for digits in range(100) if digits % 97 == int(number[2:4]) % 97]
    country, currency = next((each for each in PLACES if iban_country(each[0]) == number[:2]), ("DE", "EUR"))
    for digits in twins:
        if f"{digits:02}" != number[2:4]:
            changed = f"{number[:2]}{digits:02}{number[4:]}"
            assert refused(iban, changed, country=country, currency=currency) == "iban"


@given(
    number=st.sampled_from(sorted(EXAMPLES.values())),
    place=st.integers(4, 33),
    other=st.sampled_from(string.digits + string.ascii_uppercase),
)
def test_one_wrong_character_is_refused(number: str, place: int, other: str) -> None:
    assume(place < len(number) and number[place] != other)
    # Letters count as two digits, so that a letter for a digit may pass the sum, and then not the form.
    assume(number[place].isdigit() == other.isdigit())
    country, currency = next((each for each in PLACES if iban_country(each[0]) == number[:2]), ("DE", "EUR"))
    changed = number[:place] + other + number[place + 1 :]
    assert refused(iban, changed, country=country, currency=currency) == "iban"


@given(text=st.text(max_size=40))
@example("DE89370400440532013000\n")
@example("DE89 3704 0044 0532 0130 ００")
@example("DE89-3704-0044-0532-0130-00")
@example(" DE89370400440532013000")
@example("DE")
@example("BE68")
def test_whatever_is_no_iban_is_refused_by_name(text: str) -> None:
    assert refused(iban, text) == "iban"
    assert refused(iban, text, country="BE") == "iban"


def test_an_iban_of_another_country_is_refused() -> None:
    assert refused(iban, EXAMPLES["FR"]) == "iban"
    assert iban(EXAMPLES["FR"], country="RE").last4 == EXAMPLES["FR"][-4:]


@pytest.mark.parametrize(
    ("country", "currency"), [("DE", "USD"), ("US", "USD"), ("TR", "EUR"), ("GB", "CHF"), ("AE", "EUR")]
)
def test_money_that_a_bank_would_convert_or_refuse_is_not_sent(country: str, currency: str) -> None:
    with pytest.raises(DestinationUnsupported) as caught:
        iban(EXAMPLES.get(country, EXAMPLES["DE"]), country=country, currency=currency)
    assert caught.value.param == "currency"
    assert not takes("us_account", "DE", "USD")
    assert not takes("us_account", "US", "EUR")


@pytest.mark.parametrize("bic", ["COBADEFF", "COBADEFFXXX", "coba de ff 370"])
def test_a_bic_beside_its_iban(bic: str) -> None:
    assert iban(EXAMPLES["DE"], bic=bic).bank == bic.replace(" ", "").upper()


@pytest.mark.parametrize(
    "bic", ["COBADEFF1", "C0BADEFF", "COBAFRPP", "COBADEF0", "COBAZZFF", "СOBADEFF", "COBADEFFXXXX"]
)
def test_what_is_no_bic_of_the_account_s_country(bic: str) -> None:
    assert refused(iban, EXAMPLES["DE"], bic=bic) == "bic"


def us(**changes: str) -> Account:
    return checked_account(kind="us_account", country="US", currency="USD", details=US | changes)


def test_an_american_account_is_known_by_its_bank_and_its_end() -> None:
    found = us()
    assert (found.last4, found.bank, dict(found.details)) == ("6789", "111000025", US)


@given(place=st.integers(0, 8), digit=st.sampled_from(string.digits))
def test_one_wrong_digit_of_a_routing_number_is_refused(place: int, digit: str) -> None:
    number = US["routing_number"]
    assume(number[place] != digit)
    assert refused(us, routing_number=number[:place] + digit + number[place + 1 :]) == "routing_number"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("routing_number", "000000000"),
        ("routing_number", "800000006"),
        ("routing_number", " 111000025"),
        ("routing_number", "١١١٠٠٠٠٢٥"),
        ("account_number", "123"),
        ("account_number", "1" * 18),
        ("account_number", "12-34"),
        ("account_type", "giro"),
        ("holder_name", "\u202eAnn"),
    ],
)
def test_what_is_no_american_account(field: str, text: str) -> None:
    assert refused(us, **{field: text}) == field


@pytest.mark.parametrize(
    "account", ["acct_1", "ACCT_1PgafTB7KzZ7Yd", "acct_1Pgaf-TB7Kz", "ba_1PgafTB7KzZ7Yd"]
)
def test_what_is_no_stripe_account(account: str) -> None:
    details = {"account": account}
    call = {"kind": "stripe_account", "country": "DE", "currency": "EUR", "details": details}
    assert refused(checked_account, **call) == "account"
    details["account"] = "acct_1PgafTB7KzZ7Yd"
    assert checked_account(**call).last4 == "Z7Yd"  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_each_kind_has_its_own_fields_and_no_others(kind: str) -> None:
    """A-E4: nothing else gets into what is stored."""
    everything = US | {"iban": EXAMPLES["DE"], "bic": "COBADEFF", "account": "acct_1PgafTB7KzZ7Yd"}
    country, currency = ("US", "USD") if kind == "us_account" else ("DE", "EUR")
    needed, optional = FIELDS[kind]
    own = {name: everything[name] for name in (*needed, *optional)}
    for name in everything.keys() - own.keys():
        details = own | {name: everything[name]}
        assert (
            refused(checked_account, kind=kind, country=country, currency=currency, details=details) == name
        )
    for name in needed:
        details = {each: text for each, text in own.items() if each != name}
        assert (
            refused(checked_account, kind=kind, country=country, currency=currency, details=details) == name
        )


@given(
    kind=st.sampled_from(sorted(FIELDS)),
    country=st.sampled_from(sorted(COUNTRIES)),
    currency=st.sampled_from(sorted(ISO_EXPONENTS)),
    details=st.dictionaries(
        st.sampled_from(sorted({*US, "iban", "bic", "account", "x"})), st.text(max_size=80), max_size=6
    ),
)
def test_anything_else_is_a_refusal_and_never_a_failure(
    kind: str, country: str, currency: str, details: dict[str, str]
) -> None:
    with pytest.raises(DomainError):
        checked_account(kind=kind, country=country, currency=currency, details=details)


def _of(number: str) -> bool:
    return any(iban_country(place) == number[:2] for place, _ in PLACES)
