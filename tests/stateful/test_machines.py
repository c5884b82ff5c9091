"""Books and wallets against their models, through random histories; every step is judged."""

from dataclasses import replace

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.database import as_owner
from tests.stateful.calls import Answer, Call, Entry, Line, Post, perform
from tests.stateful.cast import Account, plain
from tests.stateful.effort import examples
from tests.stateful.ledger_machine import LedgerMachine
from tests.stateful.wallet_machine import WalletMachine

pytestmark = [pytest.mark.chaos, pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_the_books() -> None:
    """L1 to L5, L8, L10 after every step; L3 and L14 at the end of every history."""
    run_state_machine_as_test(LedgerMachine, settings=examples(few=8, many=200, steps=30))


def test_wallets() -> None:
    """W1 to W5 and L3, L4 after every step; L14 at the end of every history."""
    run_state_machine_as_test(WalletMachine, settings=examples(few=8, many=200, steps=30))


class Forgetful(LedgerMachine):
    """The same machine before a product that takes a repeated key for a new one."""

    def perform(self, call: Call) -> Answer:
        if isinstance(call, Post):
            fresh = tuple(replace(entry, key=f"{entry.key}-{len(self.done)}") for entry in call.entries)
            call = replace(call, entries=fresh)
        return perform(self.cast, call)


class Leaky(WalletMachine):
    """The same machine before a product that loses the last entry of every batch."""

    def perform(self, call: Call) -> Answer:
        answer = perform(self.cast, replace(call, entries=call.entries[:-1]) if _is_batch(call) else call)
        return replace(answer, ids=(*answer.ids, 0), new=(*answer.new, True)) if _is_batch(call) else answer


def _is_batch(call: Call) -> bool:
    return isinstance(call, Post) and len(call.entries) > 1


def test_control_a_product_that_forgets_its_keys_is_found_out() -> None:
    machine = Forgetful()
    machine.open_a_wallet()
    call = Post((Entry("k", (Line(plain("commission", "EUR"), 1), Line(plain("tax_payable", "EUR"), -1))),))
    machine.ask(call)
    with pytest.raises(AssertionError):
        machine.ask(call)


def test_control_a_product_that_loses_an_entry_is_found_out() -> None:
    """Its answers are right, and so is every entry that is there: only balances tell."""
    machine = Leaky()
    machine.one_wallet("EUR")
    machine.ask(Post((Entry("a", _one_unit("EUR")), Entry("b", _one_unit("EUR")))))
    machine.no_audit_finds_anything()
    with pytest.raises(AssertionError):
        machine.balances_are_the_models()


def test_control_a_balance_that_is_changed_behind_the_door_is_found_out() -> None:
    machine = WalletMachine()
    machine.one_wallet("EUR")
    machine.no_audit_finds_anything()
    as_owner("UPDATE wallet_wallet SET available_minor = 1")
    with pytest.raises(AssertionError, match="wallet_is_its_accounts"):
        machine.no_audit_finds_anything()


def _one_unit(currency: str) -> tuple[Line, ...]:
    return Line(plain("commission", currency), 1), Line(Account("ann", "seller_available", currency), -1)
