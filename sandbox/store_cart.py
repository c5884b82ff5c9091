"""A visitor's cart, and the number that the order made of it will have.

The number is given to the cart, not to the click: two clicks, a reload, the back button and a second tab all
order the same cart, so they make the same order. Only when the cart changes does the number change.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

from sandbox.database import Database
from sandbox.store_catalogue import MOST_OF_ONE, PRODUCTS, SELLERS, Product


@dataclass(frozen=True, slots=True)
class Line:
    """So many of one product."""

    product: Product
    quantity: int

    @property
    def total(self) -> int:
        """In cents."""
        return self.product.price * self.quantity


@dataclass(frozen=True, slots=True)
class Cart:
    """What one visitor wants; ``number`` is the coming order's."""

    number: str
    lines: tuple[Line, ...]

    @property
    def total(self) -> int:
        """In cents."""
        return sum(line.total for line in self.lines)

    @property
    def count(self) -> int:
        """How many things."""
        return sum(line.quantity for line in self.lines)

    def by_seller(self) -> dict[str, list[Line]]:
        """The lines of each seller that has any."""
        found: dict[str, list[Line]] = {}
        for seller in SELLERS:
            lines = [line for line in self.lines if line.product.seller == seller]
            if lines:
                found[seller] = lines
        return found


class Carts:
    """The carts of all visitors, by the secret in their cookie."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, visitor: str) -> Cart:
        """The visitor's cart; an unknown visitor has an empty one."""
        row = self._database.one("SELECT number, wanted FROM store_cart WHERE visitor = ?", (visitor,))
        if row is None:
            return Cart("", ())
        wanted = json.loads(row["wanted"])
        lines = tuple(Line(PRODUCTS[sku], wanted[sku]) for sku in PRODUCTS if wanted.get(sku))
        return Cart(row["number"], lines)

    def change(self, visitor: str, sku: str, *, add: int = 0, quantity: int | None = None) -> None:
        """Put ``add`` more of a product into the cart, or make it ``quantity``."""
        if sku not in PRODUCTS:
            return
        with self._database.transaction():
            wanted = {line.product.sku: line.quantity for line in self.get(visitor).lines}
            new = wanted.get(sku, 0) + add if quantity is None else quantity
            wanted[sku] = max(0, min(new, MOST_OF_ONE))
            self._write(visitor, wanted)

    def empty(self, visitor: str) -> None:
        """Nothing is wanted any more; inside a transaction."""
        self._write(visitor, {})

    def _write(self, visitor: str, wanted: dict[str, int]) -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO store_cart (visitor, number, wanted) VALUES (?, ?, ?)",
            (visitor, f"order-{secrets.token_hex(8)}", json.dumps(wanted)),
        )
