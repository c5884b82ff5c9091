"""Bank statements: each follows on the one before it, or nothing of it counts until the gap is explained."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from core import clock
from core.alerts import end_alert, raise_alert
from core.history import SYSTEM, Changes, move
from core.transactions import requires_transaction
from reconciliation.banking.gaps import note_statement_gap
from reconciliation.banking.run import queue_statement
from reconciliation.ingest.chain import place_of, why_not
from reconciliation.ingest.changes import ENTRIES, Side, write_changes
from reconciliation.ingest.counting import ids_of
from reconciliation.ingest.policy import STATEMENT
from reconciliation.ingest.refuse import end_refusals, tell_quarantined
from reconciliation.locks import lock_statements
from reconciliation.models import BankStatement, SettlementFile, SettlementSource

__all__ = ["follow_up", "let_count", "publish_statements"]


@requires_transaction
def publish_statements(file: SettlementFile) -> None:
    """Decide about each statement of a locked, complete file, and publish the file.

    A file of which every statement is known already is a duplicate.
    """
    staged = lock_statements(source_id=file.source_id, states=("STAGED",))
    mine = sorted((each for each in staged if each.file_id == file.id), key=lambda each: each.position)
    copies = set(file.totals.get("copies", ()))
    for statement in mine:
        _decide(file, statement, is_copy=statement.position in copies)
    changes, now = Changes(), clock.now()
    if all(each.status == "DUPLICATE" for each in mine):
        changes.move(file, file.to_duplicate, why="every statement in it is known", sweep_at=now, version=1)
        changes.save()
        return
    changes.move(file, file.to_published, why="all of it adds up", published_at=now, version=1)
    changes.save()
    follow_up(source_id=file.source_id, accounts={each.account for each in mine})
    tell_quarantined(file)
    end_refusals(file)


@requires_transaction
def follow_up(*, source_id: UUID, accounts: Iterable[str]) -> None:
    """Let held statements of a locked source count that follow now, in order; open or close the cases."""
    source = SettlementSource.objects.get(pk=source_id)
    for account in sorted(set(accounts)):
        held = lock_statements(source_id=source_id, states=("HELD",), account=account)
        while any(_try_again(each) for each in _in_order(held)):
            held = [each for each in held if each.status == "HELD"]
        waiting = [each for each in _in_order(held) if each.status == "HELD"]
        _tell(source_id, account, waiting)
        note_statement_gap(source, account, waiting)


@requires_transaction
def let_count(statement: BankStatement, *, why: str, by: str = SYSTEM) -> None:
    """Let a locked statement count, in the place of the version of it that counted until now."""
    changes = Changes()
    others = lock_statements(source_id=statement.source_id, states=("LIVE",), document=statement.document)
    version, supersedes_id = statement.version, statement.supersedes_id
    for live in others:
        version, supersedes_id = live.version + 1, live.id
        changes.move(live, live.to_superseded, why=f"version {version} counts in its place", by=by)
    changes.move(statement, statement.to_live, why=why, by=by, version=version, supersedes_id=supersedes_id)
    changes.save()
    queue_statement(statement)


def _decide(file: SettlementFile, statement: BankStatement, *, is_copy: bool) -> None:
    known = lock_statements(source_id=file.source_id, states=("LIVE", "HELD"), document=statement.document)
    same = [each for each in known if _says_the_same(file, statement, each)]
    if same:
        move(statement, statement.to_duplicate, why=f"known since {same[0].created_at:%Y-%m-%d %H:%M} UTC")
        return
    if is_copy and known:
        because = "the bank calls it a copy, but it differs from the one that is here"
        move(statement, statement.to_held, why=because, because=because)
        return
    changes = Changes()
    for each in known:
        if each.status == "HELD":
            changes.move(each, each.to_superseded, why="a corrected statement came")
    changes.save()
    because = why_not(statement)
    if because:
        move(statement, statement.to_held, why=because, because=because)
    else:
        let_count(statement, why="it follows on what is known")


def _says_the_same(file: SettlementFile, statement: BankStatement, other: BankStatement) -> bool:
    """Compare two versions; how a new one differs from what counts is kept with its file."""
    with transaction.atomic():
        differing = write_changes(
            ENTRIES,
            merchant_id=file.merchant_id,
            file_id=file.id,
            old=Side(*ids_of(other.file.number), other.id),
            new=Side(*ids_of(file.number), statement.id),
        )
        if other.status != "LIVE":
            transaction.set_rollback(True)
    names = ("opening_minor", "closing_minor", "currency", "kind")
    return not differing and all(getattr(statement, name) == getattr(other, name) for name in names)


def _try_again(statement: BankStatement) -> bool:
    if statement.status != "HELD" or statement.held_because.startswith("the bank calls it a copy"):
        return False
    because = why_not(statement)
    if because:
        return False
    let_count(statement, why="what was missing before it came")
    return True


def _in_order(statements: Iterable[BankStatement]) -> list[BankStatement]:
    return sorted(statements, key=place_of)


def _tell(source_id: UUID, account: str, held: list[BankStatement]) -> None:
    subject = _subject(source_id, account)
    if not held:
        end_alert(
            STATEMENT, subject=subject, resolution="The statements of the account follow on each other."
        )
        return
    first = held[0]
    raise_alert(
        STATEMENT,
        subject=subject,
        summary=f"Statement {first.document} is held, and what comes after it: {first.held_because}",
        detail={"source_id": str(source_id), "account": account, "statement_id": str(first.id)},
        merchant_id=first.merchant_id,
    )


def _subject(source_id: UUID, account: str) -> str:
    # A case's subject has 80 characters; an account that is longer than an IBAN is told by its end.
    return f"statements:{source_id}:{account[-32:]}"
