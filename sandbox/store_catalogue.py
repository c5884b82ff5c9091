"""What the store sells, and how a buyer can pay here."""

from __future__ import annotations

from dataclasses import dataclass

CURRENCY = "USD"
MOST_OF_ONE = 20


@dataclass(frozen=True, slots=True)
class Product:
    """One thing on the shelf; the price in cents."""

    sku: str
    name: str
    text: str
    seller: str
    price: int
    picture: str


#: The accounts under which the sellers are known to the payment system, with their names.
SELLERS = {"ann-books": "Ann's Books", "bob-bikes": "Bob's Bikes"}

PRODUCTS = {
    product.sku: product
    for product in (
        Product("sea-atlas", "The Sea Atlas", "Every coast, drawn by hand.", "ann-books", 3400, "book"),
        Product("slow-bread", "Bread, Slowly", "Forty loaves for patient people.", "ann-books", 1850, "book"),
        Product("clouds", "A Field Guide to Clouds", "Fits a coat pocket.", "ann-books", 1200, "book"),
        Product("bell", "Brass bell", "Loud enough, never rude.", "bob-bikes", 1400, "bell"),
        Product("pannier", "Pannier bag", "Waxed canvas, 20 litres.", "bob-bikes", 6600, "bag"),
        Product("tourer", "Touring bicycle", "Steel frame, eleven gears.", "bob-bikes", 89000, "bike"),
    )
}

HOSTED_PAGE = "hosted_page"

#: What the buyer chooses at the checkout: the provider's own page, or a token of a test card. In a real
#: store the provider's script in the browser makes the token, so that no card number reaches the store.
METHODS = {
    HOSTED_PAGE: ("Payment page", "Enter a card on the payment provider's own page"),
    "pm_card_visa": ("Visa", "works at once"),
    "pm_card_authenticationRequired": ("Visa with 3-D Secure", "the bank asks you to confirm"),
    "pm_card_chargeDeclined": ("Declined card", "the bank says no"),
    "pm_card_threeDSecureRequiredChargeDeclined": ("3-D Secure, then declined", "confirmed, and still no"),
    "pm_card_sandboxProcessing": ("Slow bank", "the answer comes much later"),
    "pm_card_sandboxChargedButTimeout": ("Lost answer", "charged, but the provider's answer never arrives"),
}


def money(cents: int) -> str:
    """An amount as the payment system wants it: ``1234`` is ``12.34``."""
    return f"{cents // 100}.{cents % 100:02d}"
