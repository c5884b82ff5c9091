"""All that a month left behind in words that are the same in every run: breaks, matches and journals.

Keys of rows, their order and the moments of writing are left out, and so is how lines were cut into entries;
what was found, how, and what every account holds for every thing is not.
"""

from collections import Counter
from typing import Any, NamedTuple

from reconciliation.models import BankLine, Discrepancy, Match, SettlementLine
from tests.reconciliation.proof.naming import Names, ask
from tests.reconciliation.proof.whole import Whole

__all__ = ["Story", "story_of"]

_JOURNALS = """
    SELECT entry.kind, entry.effective_date::text, account.role,
        regexp_replace(coalesce(account.provider, ''), '-[0-9a-f]{8}$', ''),
        account.currency, coalesce(line.clearing_key, ''), sum(line.amount_minor)::bigint
    FROM ledger_journalline AS line JOIN ledger_account AS account ON account.id = line.account_id
    JOIN ledger_journalentry AS entry ON entry.id = line.entry_id
    WHERE account.merchant_id = %s AND entry.kind <> 'opening_balance' GROUP BY 1, 2, 3, 4, 5, 6
"""


class Story(NamedTuple):
    """What a month left behind; each a multiset."""

    breaks: Counter[tuple[Any, ...]]
    matches: Counter[tuple[Any, ...]]
    journals: Counter[tuple[Any, ...]]


def story_of(whole: Whole) -> Story:
    """Read it."""
    names = Names(whole.merchant_id)
    return Story(_breaks(whole, names), _matches(whole, names), _journals(whole, names))


def _breaks(whole: Whole, names: Names) -> Counter[tuple[Any, ...]]:
    rows = list(Discrepancy.objects.filter(merchant_id=whole.merchant_id))
    movements = names.of_movements(row.subject_id for row in rows if row.subject_id)
    return Counter(
        (
            row.side, row.break_class, row.category, row.rule_name, row.status, row.currency,
            row.amount_minor, str(row.business_date), names.of_break(row, movements),
        )
        for row in rows
    )  # fmt: skip


def _matches(whole: Whole, names: Names) -> Counter[tuple[Any, ...]]:
    rows = list(Match.objects.filter(merchant_id=whole.merchant_id, live=True))
    lines: dict[tuple[str, int], str] = {}
    for side, model, name in (("psp", SettlementLine, "reference"), ("bank", BankLine, "bank_reference")):
        mine = model.objects.filter(merchant_id=whole.merchant_id)
        lines |= {(side, key): text for key, text in mine.values_list("pk", name)}
    return Counter(
        (
            row.side, lines[row.side, row.line_id] if row.line_id else "", row.subject_kind, row.how,
            row.rule, row.amount_minor, row.difference_minor, str(row.clear_by),
            names.of_key(row.clearing_key),
        )
        for row in rows
    )  # fmt: skip


def _journals(whole: Whole, names: Names) -> Counter[tuple[Any, ...]]:
    found: Counter[tuple[Any, ...]] = Counter()
    for *place, key, minor in ask(_JOURNALS, whole.merchant_id):
        found[(*place, names.of_key(key))] += minor
    return Counter({place: minor for place, minor in found.items() if minor})
