"""What must always be true of the audit trail, as queries that return no rows."""

from core.audits import Invariant, Scale, swept

__all__ = ["INVARIANTS", "SEALED_RECORDS"]

SEALED_RECORDS = Scale(
    name="sealed audit records",
    safe_sql="SELECT coalesce(max(last_seq), 0) FROM core_auditseal",
    portion=200_000,
)
_EXERCISED = "SELECT EXISTS (SELECT 1 FROM core_auditseal)"

INVARIANTS = [
    swept(
        name="audit_blocks_hold",
        says="The audit records give the roots under which they were sealed.",
        sql="""SELECT block.number, encode(block.root, 'hex'), encode(found.root, 'hex')
            FROM core_auditseal AS block
            LEFT JOIN core_auditseal AS before ON before.number = block.number - 1
            CROSS JOIN LATERAL core_audit_seal_root(coalesce(before.last_seq, 0), block.last_seq) AS found
            WHERE block.last_seq > {after} AND block.last_seq <= {through}
                AND (found.first_seq, found.record_count, found.root)
                    IS DISTINCT FROM (block.first_seq, block.record_count, block.root)""",
        exercised_sql=_EXERCISED,
        covers=("I39",),
        scale=SEALED_RECORDS,
    ),
    swept(
        name="audit_chain_unbroken",
        says="Every block of the audit trail follows the one before it, in number, hash, order and time.",
        sql="""SELECT block.number FROM core_auditseal AS block
            LEFT JOIN core_auditseal AS before ON before.number = block.number - 1
            WHERE block.last_seq > {after} AND block.last_seq <= {through}
                AND (block.hash <> core_audit_seal_hash(block)
                    OR block.previous <> coalesce(before.hash, decode(repeat('00', 32), 'hex'))
                    OR (before.number IS NULL) <> (block.number = 1)
                    OR before.last_seq >= block.first_seq OR before.sealed_at > block.sealed_at)""",
        exercised_sql=_EXERCISED,
        covers=("I39",),
        scale=SEALED_RECORDS,
    ),
    Invariant(
        name="audit_trail_is_read_only",
        says="The application's role reads the audit trail and its seals, and its guards are switched on.",
        sql="""SELECT trail.name, wanted.privilege
            FROM unnest(ARRAY['core_auditrecord', 'core_auditseal', 'core_auditfence']) AS trail(name)
            CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS wanted(privilege)
            WHERE CASE WHEN wanted.privilege IN ('INSERT', 'UPDATE')
                    THEN has_any_column_privilege('quittance_app', trail.name, wanted.privilege)
                    ELSE has_table_privilege('quittance_app', trail.name, wanted.privilege) END
            UNION ALL
            SELECT guarded.name, 'trigger' FROM unnest(ARRAY['core_auditrecord', 'core_auditseal'])
                AS guarded(name)
            WHERE NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = guarded.name::regclass
                AND tgname = guarded.name || '_append_only' AND tgenabled IN ('O', 'A'))""",
        exercised_sql="SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'quittance_app')",
        covers=("L17",),
    ),
]
