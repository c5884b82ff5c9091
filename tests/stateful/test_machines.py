"""Books and wallets against their models, through random histories; every step is judged."""

from dataclasses import replace

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.stateful.calls import Answer, Call, Post, perform
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


class ForgetsItsKeys:
    """A product that takes a repeated key for a new one."""

    def perform(self, call: Call) -> Answer:
        if isinstance(call, Post):
            fresh = tuple(replace(entry, key=f"{entry.key}-{len(self.done)}") for entry in call.entries)
            call = replace(call, entries=fresh)
        return perform(self.cast, call)


class ForgetfulLedger(ForgetsItsKeys, LedgerMachine):
    """The books without L8."""


class ForgetfulWallets(ForgetsItsKeys, WalletMachine):
    """Wallets without L8."""


@pytest.mark.parametrize("machine", [ForgetfulLedger, ForgetfulWallets])
def test_control_a_product_that_forgets_its_keys_is_found_out(machine: type[RuleBasedStateMachine]) -> None:
    chosen = settings(
        examples(few=30, many=30, steps=30),
        phases=[Phase.generate],
        database=None,
        report_multiple_bugs=False,
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=chosen)
