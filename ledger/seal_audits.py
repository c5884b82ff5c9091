"""What must always be true of sealed entries and of what guards the books, as queries that return no rows."""

from core.audits import Invariant, Scale, swept
from core.currencies import EXPONENTS
from ledger.audits import ENTRIES

__all__ = ["INVARIANTS", "NOTICE_ANY_CHANGE", "SEALED"]

# Not the fence: what lies below it may still wait for its seal, and is examined when it has one.
SEALED = Scale(
    name="sealed entries",
    safe_sql="SELECT coalesce(max(last_entry), 0) FROM ledger_seal",
    portion=100_000,
)
# These find every altered row, whatever else is wrong with it.
NOTICE_ANY_CHANGE = frozenset({"sealed_blocks_hold", "entry_has_its_digest", "guards_are_armed"})

_SEALS = "SELECT EXISTS (SELECT 1 FROM ledger_seal)"
_BLOCK_BEFORE = "LEFT JOIN ledger_seal AS before ON before.number = block.number - 1"
_BLOCK_IN_SPAN = "block.last_entry > {after} AND block.last_entry <= {through}"
_GUARDED = ("account", "journalentry", "journalline", "seal")
_KNOWN = ", ".join(f"'{code}'" for code in sorted(EXPONENTS))

INVARIANTS = [
    swept(
        name="sealed_blocks_hold",
        says="Sealed entries, their lines and accounts give the roots under which they were sealed.",
        sql=f"""SELECT block.number, block.first_entry, block.last_entry, block.entry_count, found.entry_count,
                encode(block.root, 'hex'), encode(found.root, 'hex')
            FROM ledger_seal AS block {_BLOCK_BEFORE}
            CROSS JOIN LATERAL ledger_seal_root(coalesce(before.last_entry, 0), block.last_entry) AS found
            WHERE {_BLOCK_IN_SPAN}
                AND (found.first_entry, found.entry_count, found.line_count, found.root) IS DISTINCT FROM
                    (block.first_entry, block.entry_count, block.line_count, block.root)""",
        exercised_sql=_SEALS,
        covers=("L6", "L7", "L15"),
        scale=SEALED,
    ),
    swept(
        name="seal_chain_unbroken",
        says="Blocks are numbered without a gap, and each carries its own hash and that of the one before.",
        sql=f"""SELECT block.number, encode(block.hash, 'hex'), encode(before.hash, 'hex')
            FROM ledger_seal AS block {_BLOCK_BEFORE}
            WHERE {_BLOCK_IN_SPAN} AND (block.hash <> ledger_seal_hash(block)
                OR block.previous <> coalesce(before.hash, decode(repeat('00', 32), 'hex'))
                OR (before.number IS NULL) <> (block.number = 1))""",
        exercised_sql=_SEALS,
        covers=("I10", "L15"),
        scale=SEALED,
    ),
    swept(
        name="blocks_in_order",
        says="The order of the blocks is the order of record: each begins behind the last, in place and time.",
        sql=f"""SELECT block.number, before.last_entry, block.first_entry, block.last_entry
            FROM ledger_seal AS block {_BLOCK_BEFORE}
            WHERE {_BLOCK_IN_SPAN} AND (before.last_entry >= block.first_entry
                OR block.first_entry > block.last_entry OR before.sealed_at > block.sealed_at)""",
        exercised_sql=_SEALS,
        covers=("L16",),
        scale=SEALED,
    ),
    Invariant(
        name="seals_below_the_fence",
        says="No block reaches above the fence, where entries may still appear.",
        sql="SELECT number FROM ledger_seal WHERE last_entry > (SELECT safe_entry FROM ledger_fence)",
        exercised_sql=_SEALS,
        covers=("L7", "L16"),
    ),
    Invariant(
        name="daily_roots_stand",
        says="Every daily root that was written down is still the hash of its block.",
        sql="""SELECT run.business_date, run.summary #>> '{ledger,block}', run.summary #>> '{ledger,hash}'
            FROM core_jobrun AS run
            LEFT JOIN ledger_seal AS block ON block.number = (run.summary #>> '{ledger,block}')::bigint
            WHERE run.job = 'ledger.daily_root' AND run.summary ? 'ledger'
                AND encode(block.hash, 'hex') IS DISTINCT FROM run.summary #>> '{ledger,hash}'""",
        exercised_sql="""SELECT EXISTS (
            SELECT 1 FROM core_jobrun WHERE job = 'ledger.daily_root' AND summary ? 'ledger')""",
        covers=("L15",),
    ),
    swept(
        name="entry_has_its_digest",
        says="The digest of every entry, by which a repeated key is judged, is that of its content.",
        # As ledger.wire.digest writes it. Entries with facts are left to the seals: the text of the facts
        # that was hashed is not the one that jsonb gives back.
        sql="""SELECT entry.id FROM ledger_journalentry AS entry
            JOIN (
                SELECT line.entry_id, string_agg(
                    length(line.account_id::text) || ':' || line.account_id
                    || length(line.amount_minor::text) || ':' || line.amount_minor
                    || length(line.currency) || ':' || line.currency
                    || CASE WHEN line.clearing_key IS NULL THEN '0:'
                        ELSE length(line.clearing_key) + 1 || ':=' || line.clearing_key END,
                    '' ORDER BY line.id) AS content
                FROM ledger_journalline AS line
                WHERE line.id >= ({after} + 1) * 1024::bigint AND line.id <= {through} * 1024 + 1023
                GROUP BY line.entry_id
            ) AS lines ON lines.entry_id = entry.id
            WHERE entry.id > {after} AND entry.id <= {through} AND entry.facts IS NULL
                AND entry.digest <> sha256(convert_to(
                    length(entry.kind) || ':' || entry.kind || '10:'
                    || to_char(coalesce(entry.original_date, entry.effective_date), 'YYYY-MM-DD')
                    || CASE WHEN entry.corrects IS NULL THEN '0:'
                        ELSE length(entry.corrects::text) + 1 || ':=' || entry.corrects END
                    || lines.content || coalesce('42:group=' || entry.group_id, ''), 'UTF8'))""",
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_journalentry WHERE facts IS NULL)",
        covers=("L6", "L8"),
        scale=ENTRIES,
    ),
    Invariant(
        name="money_is_whole_numbers",
        says="Amounts are 64-bit whole numbers of minor units, and no column of the books is a float.",
        sql="""SELECT table_name, column_name, data_type FROM information_schema.columns
            WHERE table_schema = 'public' AND (data_type IN ('real', 'double precision', 'money')
                AND table_name ~ '^(ledger|wallet|payments|payouts|reconciliation)_'
                OR column_name ~ '_minor$' AND data_type <> 'bigint')""",
        exercised_sql="""SELECT EXISTS (
            SELECT 1 FROM information_schema.columns WHERE column_name = 'amount_minor')""",
        covers=("L5",),
    ),
    Invariant(
        name="currency_is_known",
        says="Every account is in a currency whose minor unit is known.",
        sql=f"SELECT id, currency FROM ledger_account WHERE currency NOT IN ({_KNOWN})",
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_account)",
        covers=("L5",),
    ),
    Invariant(
        name="guards_are_armed",
        says="The triggers that refuse to change the books are there and switched on.",
        sql=f"""SELECT wanted.relation, wanted.guard FROM (VALUES
                {", ".join(f"('ledger_{name}', 'ledger_{name}_append_only')" for name in _GUARDED)},
                ('ledger_journalentry', 'ledger_journalentry_whole'),
                ('ledger_journalline', 'ledger_journalline_balanced')) AS wanted (relation, guard)
            WHERE NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = wanted.relation::regclass
                AND tgname = wanted.guard AND tgenabled IN ('O', 'A'))""",
        exercised_sql="SELECT EXISTS (SELECT 1 FROM pg_trigger)",
        covers=("L6", "L17"),
    ),
]
