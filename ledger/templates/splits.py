"""Dividing amounts so that nothing is lost or made, whatever the number, size and order of the parts."""

from collections.abc import Sequence

from ledger.templates.capture import Share
from ledger.templates.entry import check_minor
from ledger.templates.rounding import half_up

__all__ = ["basis_points", "cumulative_part", "refund_parts", "refund_share", "split_by_weights"]


def basis_points(*, amount_minor: int, bps: int) -> int:
    """Return that many ten-thousandths of an amount, half up, in minor units. Raises as `check_minor`."""
    return half_up(check_minor(amount_minor) * check_minor(bps), 10_000)


def split_by_weights(*, amount_minor: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Divide an amount by weights with the largest remainder; the parts add up to it exactly.

    Each part is its exact share rounded down or up. Of equal remainders the earlier part is rounded up,
    so the same input always gives the same parts. A weight of zero gets nothing.
    Raises as `check_minor`, and ValueError when an amount has no weight to go to.
    """
    whole = sum(check_minor(weight) for weight in weights)
    if check_minor(amount_minor) and not whole:
        raise ValueError("an amount has no weight to go to")
    if not whole:
        return (0,) * len(weights)
    parts = [amount_minor * weight // whole for weight in weights]
    remainders = [amount_minor * weight % whole for weight in weights]
    by_remainder = sorted(range(len(parts)), key=lambda at: (-remainders[at], at))
    for at in by_remainder[: amount_minor - sum(parts)]:
        parts[at] += 1
    return tuple(parts)


def cumulative_part(*, total_minor: int, done: int, whole: int, already_minor: int) -> int:
    """Return what a part still gets when `done` of `whole` is done: round(total x done / whole) - already.

    The last step closes the part to exactly its total. Raises as `check_minor`, ValueError beyond the whole
    and when more was given already than is due.
    """
    if not 0 <= check_minor(done) <= check_minor(whole) or not whole:
        raise ValueError(f"{done} of {whole} cannot be done")
    due = half_up(check_minor(total_minor) * done, whole)
    if check_minor(already_minor) > due:
        raise ValueError(f"{already_minor} was given already, more than the {due} that is due")
    return due - already_minor


def refund_parts(*, totals: Sequence[int], returned: Sequence[int], amount_minor: int) -> tuple[int, ...]:
    """Return what each part gives back of one refund; together exactly `amount_minor`.

    `totals` are the parts of the whole (seller, commission, tax, …), `returned` what each has given back
    before. The rule is cumulative: after every refund each part has given back
    round(total x refunded so far / gross), adjusted by largest remainder so that the parts add up, and never
    less than it had given before: a refund takes nothing back. So after any sizes and any order of refunds
    no part is negative or above its total, and the last refund closes every part to exactly zero.

    Raises as `check_minor`, ValueError when more is refunded than is left.
    """
    gross = sum(check_minor(part) for part in totals)
    so_far = sum(check_minor(part) for part in returned) + check_minor(amount_minor)
    if len(totals) != len(returned) or any(b > a for a, b in zip(totals, returned, strict=True)):
        raise ValueError("a part has given back more than it had")
    if so_far > gross:
        raise ValueError(f"{so_far} refunded of {gross}")
    return _given_back(totals, returned, so_far)


def _given_back(totals: Sequence[int], returned: Sequence[int], so_far: int) -> tuple[int, ...]:
    """Return what each part gives back now, so that together they have given back `so_far`."""
    parts, left = _pro_rata(totals, returned, so_far)
    whole = sum(totals[at] for at in parts)
    after = list(returned)
    if whole:
        for at in parts:
            after[at] = max(returned[at], totals[at] * left // whole)
        excess = sum(after) - so_far
        # Rounding down leaves fewer units than there are parts: they go where most is missing. A part that
        # was rounded up before and keeps it may take one too many: others, rounded up least, give way.
        for _ in range(-excess):
            after[max(parts, key=lambda at: (totals[at] * left - after[at] * whole, -at))] += 1
        for _ in range(excess):
            movable = [at for at in parts if after[at] > returned[at]]
            after[min(movable, key=lambda at: (totals[at] * left - after[at] * whole, -at))] -= 1
    return tuple(now - before for now, before in zip(after, returned, strict=True))


def _pro_rata(totals: Sequence[int], returned: Sequence[int], so_far: int) -> tuple[list[int], int]:
    """Return the parts that give back pro rata, and how much they have to reach together.

    A part that has given back more than its share, by more than rounding, stays where it is: refunds that
    failed can leave such a state behind. The others share the rest, of which another may have had too much.
    """
    parts, left = list(range(len(totals))), so_far
    while True:
        whole = sum(totals[at] for at in parts)
        ahead = [at for at in parts if returned[at] and (returned[at] - 1) * whole >= totals[at] * left]
        if not ahead:
            return parts, left
        left -= sum(returned[at] for at in ahead)
        parts = [at for at in parts if at not in ahead]


def refund_share(*, share: Share, returned: Share, amount_minor: int) -> Share:
    """Return what seller, marketplace and tax give back of one refund of an order; see `refund_parts`."""
    seller, commission, tax = refund_parts(
        totals=(share.seller_net_minor, share.commission_minor, share.tax_minor),
        returned=(returned.seller_net_minor, returned.commission_minor, returned.tax_minor),
        amount_minor=amount_minor,
    )
    return Share(seller_net_minor=seller, commission_minor=commission, tax_minor=tax)
