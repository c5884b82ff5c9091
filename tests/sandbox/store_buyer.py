"""A buyer in the sandbox's store, with a browser that has cookies and no scripts."""

from __future__ import annotations

import re
from typing import Any

import requests


class Buyer:
    """A browser without scripts."""

    def __init__(self, sandbox_url: str) -> None:
        self.base = f"{sandbox_url}/store"
        self.browser = requests.Session()

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.browser.get(f"{self.base}{path}", timeout=10, **options)

    def post(self, path: str, **form: str) -> requests.Response:
        return self.browser.post(f"{self.base}{path}", data=form, timeout=15, allow_redirects=False)

    def fill(self, *skus: str) -> None:
        for sku in skus or ("sea-atlas", "pannier"):
            assert self.post("/cart", sku=sku).status_code == 303

    def number(self) -> str:
        """The number in the form of the checkout."""
        return re.search(r'name="number" value="(order-[0-9a-f]{16})"', self.get("/checkout").text)[1]

    def order(self, method: str = "pm_card_visa", *skus: str) -> str:
        """Fill the cart and order; the number of the order."""
        self.fill(*skus)
        number = self.number()
        self.post("/checkout", number=number, method=method)
        return number

    def page(self, number: str) -> str:
        answer = self.get(f"/orders/{number}")
        assert answer.status_code == 200
        return answer.text

    def says(self, number: str) -> str:
        return re.search(r"<h1>(.*?)</h1>", self.page(number))[1]
