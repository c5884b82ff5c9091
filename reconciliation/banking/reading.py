"""What is known that lines of a statement may be, read for one statement at a time."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from core.transactions import requires_transaction
from ledger.selectors import open_keys
from payouts.selectors import MOVEMENTS, references_in
from reconciliation.banking.policy import charge_codes, fee_tolerance, patterns_of
from reconciliation.banking.types import BankEntry, Batch, Known, Sending, batch_subject
from reconciliation.ingest.counting import ids_of
from reconciliation.matching.sql import rows
from reconciliation.models import LINE_BITS, BankStatement, SettlementSource
from reconciliation.posting.keys import batch_key

__all__ = ["entries_of", "known_of", "lines_of", "open_batches", "providers_of"]

_COLUMNS = (
    "id, line_no, parent, amount_minor, currency, booked_on, bank_reference, end_to_end, batch_reference,"
    " code, is_reversal, return_reason, counterparty, text, quarantine"
)
_ENTRIES = f"""
    SELECT {_COLUMNS} FROM reconciliation_bankline
    WHERE id BETWEEN %(first)s AND %(last)s AND statement_id = %(statement)s ORDER BY id
"""  # noqa: S608 - names of columns
_LINES = f"SELECT {_COLUMNS} FROM reconciliation_bankline WHERE id = ANY(%(ids)s) ORDER BY id"  # noqa: S608
_SENDINGS = f"""
    SELECT subject_id, payout_id, end_to_end, batch_reference, channel_id, currency, -amount_minor, state
    FROM {MOVEMENTS} WHERE merchant_id = %(merchant)s AND kind = 'transfer' AND rail = 'bank'
        AND {{named}} = ANY(%(wanted)s)
    ORDER BY subject_id
"""  # noqa: S608 - the name of a view
_FOUND = """
    SELECT found.subject_kind, found.subject_id, line.id, line.parent
    FROM reconciliation_match AS found JOIN reconciliation_bankline AS line ON line.id = found.line_id
    WHERE found.subject_id = ANY(%(subjects)s) AND found.subject_kind IN ('sending', 'sending_return')
        AND found.live AND found.side = 'bank' ORDER BY found.id
"""
# By batch: how many lines it has, what they show, what they pay of it, and what of that is in the books.
_BANKED = """
    SELECT found.subject_id, max(found.movement_part) + 1,
        array_agg(found.amount_minor + found.difference_minor ORDER BY found.id),
        sum(found.amount_minor)::bigint,
        coalesce(sum(found.amount_minor) FILTER (WHERE statement.posted_at IS NOT NULL), 0)::bigint
    FROM reconciliation_match AS found
    JOIN reconciliation_bankline AS line ON line.id = found.line_id
    JOIN reconciliation_bankstatement AS statement ON statement.id = line.statement_id
    WHERE found.subject_id = ANY(%(subjects)s) AND found.subject_kind = 'batch' AND found.live
        AND found.side = 'bank'
    GROUP BY found.subject_id
"""
# Lines of the account that a reversal may be of: not long ago, and not taken back before.
_EARLIER = f"""
    SELECT {_COLUMNS} FROM reconciliation_bankline AS line
    WHERE id BETWEEN %(first)s AND %(last)s AND statement_id = %(statement)s AND parent IS NULL
        AND amount_minor = ANY(%(amounts)s)
        AND NOT EXISTS (SELECT FROM reconciliation_match AS found WHERE found.line_id = line.id
            AND found.side = 'bank' AND found.live AND found.subject_kind = 'bank_reversal')
    ORDER BY booked_on, id
"""  # noqa: S608 - names of columns
_LOOK_BACK = timedelta(days=90)
_SHORTEST_NAME = 8


def entries_of(statement: BankStatement) -> list[BankEntry]:
    """Return all lines of a statement, in their order."""
    first, last = ids_of(statement.file.number)
    return [
        BankEntry(*row) for row in rows(_ENTRIES, {"first": first, "last": last, "statement": statement.id})
    ]


def lines_of(ids: Collection[int]) -> list[BankEntry]:
    """Return lines by their ids, in their order."""
    return [BankEntry(*row) for row in rows(_LINES, {"ids": list(ids)})]


@requires_transaction
def known_of(source: SettlementSource, statement: BankStatement, entries: Sequence[BankEntry]) -> Known:
    """Return what these lines of a statement may be."""
    sendings = _sendings(source, "end_to_end", _references(entries))
    together = _sendings(source, "batch_reference", _batch_references(entries))
    subjects = {each.id for each in (*sendings, *together)}
    found = _found(subjects)
    sent: dict[str, list[Sending]] = defaultdict(list)
    for each in together:
        sent[each.batch_reference.lower()].append(each)
    batches = open_batches(source.merchant_id, statement.currency)
    return Known(
        sendings={each.reference.lower(): each for each in sendings},
        sent_together=sent,
        paid=found["sending"],
        returned=found["sending_return"],
        batches=_named(source, statement, entries, batches),
        by_amount=_by_amount(batches),
        earlier=_earlier(statement, entries),
        charges=charge_codes(),
        tolerance=fee_tolerance(source),
        currency=statement.currency,
    )


def open_batches(merchant_id: UUID, currency: str, *, keys: Collection[str] | None = None) -> list[Batch]:
    """Return the batches that were reported and of which the bank has not shown all, or too much."""
    sources = {each.id.hex[-12:]: each for each in providers_of(merchant_id)}
    found = []
    for each in open_keys(
        merchant_id=merchant_id, role="psp_settlement_in_transit", currency=currency, keys=keys
    ):
        source = sources.get(each.key.partition(":")[0])
        if source is not None:
            name = each.key.partition(":")[2]
            found.append(Batch(each.key, name, source.provider, source.id, each.balance_minor))
    return _with_banked(found)


def providers_of(merchant_id: UUID) -> list[SettlementSource]:
    """Return the sources of providers' files of a merchant."""
    return list(SettlementSource.objects.filter(merchant_id=merchant_id, kind="psp").order_by("pk"))


def _with_banked(batches: Iterable[Batch]) -> list[Batch]:
    """Add what lines have paid of batches, whose `open_minor` is the balance of the books until now.

    What the provider has reported is what is in transit and what was paid of it; a batch of which nothing was
    reported waits for its file.
    """
    batches = list(batches)
    banked = {row[0]: row[1:] for row in rows(_BANKED, {"subjects": [batch_subject(b.key) for b in batches]})}
    complete = []
    for each in batches:
        parts, amounts, paid, posted = banked.get(batch_subject(each.key), (0, [], 0, 0))
        reported = (each.open_minor or 0) + posted
        still = reported - paid if reported else None
        complete.append(each._replace(open_minor=still, parts=parts, banked=tuple(amounts)))
    return complete


def _by_amount(batches: Iterable[Batch]) -> Mapping[int, tuple[Batch, ...]]:
    found: dict[int, tuple[Batch, ...]] = {}
    for each in batches:
        if each.open_minor and not each.parts:
            found[each.open_minor] = (*found.get(each.open_minor, ()), each)
    return found


def _named(
    source: SettlementSource, statement: BankStatement, entries: Iterable[BankEntry], batches: Sequence[Batch]
) -> Mapping[int, tuple[Batch, ...]]:
    """Return the batches that lines name: those in transit, and those that only a pattern knows."""
    providers = [
        each
        for each in providers_of(source.merchant_id)
        if each.currency in ("", statement.currency) and each.is_enabled
    ]
    patterns = {each.provider: patterns_of(each.provider) for each in providers}
    found: dict[int, tuple[Batch, ...]] = {}
    unknown: dict[str, Batch] = {}
    for entry in entries:
        if entry.parent is not None:
            continue
        said = " ".join((entry.text, entry.end_to_end, entry.batch_reference, entry.bank_reference))
        squeezed = "".join(said.split()).lower()
        mine = {
            each.key: each
            for each in batches
            if len(each.name) >= _SHORTEST_NAME and each.name.lower() in squeezed
        }
        for name, provider in _by_pattern(said, patterns):
            known = [each for each in batches if _is_named(each, name, provider)]
            if len(known) == 1:
                mine[known[0].key] = known[0]
            elif not known and (meant := _meant(name, provider, providers)) is not None:
                mine[meant.key] = unknown[meant.key] = meant
        if mine:
            found[entry.id] = tuple(mine[key] for key in sorted(mine))
    if unknown:
        seen = {each.key: each for each in _with_banked(unknown.values())}
        found = {key: tuple(seen.get(each.key, each) for each in mine) for key, mine in found.items()}
    return found


def _by_pattern(said: str, patterns: Mapping[str, Sequence[Any]]) -> Iterator[tuple[str, str]]:
    for provider, expressions in patterns.items():
        for expression in expressions:
            for hit in expression.finditer(said):
                yield hit[1], provider


def _is_named(batch: Batch, name: str, provider: str) -> bool:
    return batch.provider == provider and batch.name.lower() == name.lower()


def _meant(name: str, provider: str, providers: Iterable[SettlementSource]) -> Batch | None:
    """Return a batch that is not in transit: of the provider's only account."""
    mine = [each for each in providers if each.provider == provider]
    if len(mine) != 1:
        return None
    return Batch(batch_key(source_id=mine[0].id, batch=name), name, provider, mine[0].id, 0)


def _references(entries: Iterable[BankEntry]) -> set[str]:
    wanted: set[str] = set()
    for each in entries:
        wanted.update((each.end_to_end, each.end_to_end.lower()))
        wanted.update(references_in(f"{each.end_to_end} {each.text}"))
    return wanted - {""}


def _batch_references(entries: Iterable[BankEntry]) -> set[str]:
    wanted: set[str] = set()
    for each in entries:
        if each.parent is None and each.amount_minor < 0:
            wanted.update((each.batch_reference, each.batch_reference.lower()))
            wanted.update(references_in(each.text))
    return wanted - {""}


def _sendings(source: SettlementSource, named: str, wanted: Collection[str]) -> list[Sending]:
    if not wanted:
        return []
    params = {"merchant": source.merchant_id, "wanted": sorted(wanted)}
    return [Sending(*row) for row in rows(_SENDINGS.format(named=named), params)]


def _found(subjects: Collection[UUID]) -> dict[str, dict[UUID, int]]:
    found: dict[str, dict[UUID, int]] = {"sending": {}, "sending_return": {}}
    for kind, subject_id, line_id, parent in rows(_FOUND, {"subjects": sorted(subjects)}):
        number = line_id >> LINE_BITS << LINE_BITS
        found[kind][subject_id] = line_id if parent is None else number | parent
    return found


def _earlier(statement: BankStatement, entries: Iterable[BankEntry]) -> list[BankEntry]:
    amounts = sorted({-each.amount_minor for each in entries if each.is_reversal and each.parent is None})
    if not amounts:
        return []
    before = BankStatement.objects.filter(
        source_id=statement.source_id,
        account=statement.account,
        kind="statement",
        status="LIVE",
        period_to__gte=statement.period_from - _LOOK_BACK,
        period_to__lte=statement.period_to,
    ).exclude(pk=statement.pk)
    found: list[BankEntry] = []
    for each in before.select_related("file").order_by("period_to", "pk"):
        found += _lines_with(each, amounts)
    return found


def _lines_with(statement: BankStatement, amounts: Sequence[int]) -> list[BankEntry]:
    first, last = ids_of(statement.file.number)
    params = {"first": first, "last": last, "statement": statement.id, "amounts": list(amounts)}
    return [BankEntry(*row) for row in rows(_EARLIER, params)]
