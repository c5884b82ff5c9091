"""Entries that belong together: posted all or none."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid5

from ledger.types import EntryDraft

__all__ = ["linked"]

_NAMESPACE = UUID("6f1f9d0e-6f0b-5c39-9f0e-3a4d5f1b7c21")


def linked(*, drafts: Sequence[EntryDraft]) -> tuple[EntryDraft, ...]:
    """Return the drafts as one group, to be posted in one call.

    The group's id follows from the keys of its entries: the same entries again are the same group, and an
    entry more or less is another one, which the books refuse. Raises ValueError for drafts of more than
    one merchant.
    """
    if len({draft.merchant_id for draft in drafts}) > 1:
        raise ValueError("the entries of a group belong to one merchant")
    # Every part with its length in front, so that no two sets of keys look alike.
    keys = sorted(
        "".join(
            f"{len(part)}:{part}"
            for part in (draft.merchant_id.hex, draft.source, draft.source_ref, draft.leg)
        )
        for draft in drafts
    )
    group_id = uuid5(_NAMESPACE, "".join(keys))
    return tuple(replace(draft, group_id=group_id) for draft in drafts)
