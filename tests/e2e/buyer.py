"""What a buyer does in the store and on the provider's pages, in a real browser."""

from pathlib import Path

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from tests.e2e.place import Place
from tests.waiting import eventually

__all__ = ["DECLINED", "GOOD", "THREE_D_SECURE", "Buyer"]

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
THREE_D_SECURE = "4000000000003220"
PRICE = 4800


class Buyer:
    """One browser with its cookies; `page` is the tab in front."""

    def __init__(self, context: BrowserContext, place: Place, pictures: Path | None) -> None:
        self.context, self.place = context, place
        self.complaints: list[str] = []
        self._pictures, self._taken = pictures, 0
        self.page = self.new_tab()

    def new_tab(self) -> Page:
        """Another tab of the same browser."""
        tab = self.context.new_page()
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("console", self._heard)
        return tab

    def picture(self, name: str, page: Page | None = None) -> None:
        """Keep a picture of the tab for people, where a folder for pictures was named."""
        if self._pictures is not None:
            self._taken += 1
            (page or self.page).screenshot(
                path=self._pictures / f"{self._taken:02}-{name}.png", full_page=True
            )

    def fill_cart(self) -> None:
        """One thing of each seller: 34.00 and 14.00."""
        for thing in ("The Sea Atlas", "Brass bell"):
            self.page.goto(self.place.store_url)
            self.picture("shelf")
            self.page.get_by_role("button", name=f"Add {thing} to the cart").click()
        self.picture("cart")

    def to_checkout(self, method: str = "Payment page") -> None:
        """Fill the cart and choose how to pay."""
        self.fill_cart()
        self.page.get_by_role("link", name="Go to checkout").click()
        self.page.get_by_role("radio", name=method).check()
        self.picture("checkout")

    def pay_in_store(self, method: str = "Payment page") -> str:
        """Order, and press the store's button; returns the order's number."""
        self.to_checkout(method)
        self.page.get_by_role("button", name="Pay 48.00 USD").click()
        return self.number()

    def number(self) -> str:
        """The number of the buyer's only order."""
        numbers = eventually(self.place.numbers, what="the store has sent the order")
        assert len(numbers) == 1, numbers
        return numbers[0]

    def enter_card(self, card: str, page: Page | None = None) -> None:
        """Fill the provider's form."""
        tab = page or self.page
        tab.get_by_label("Email").fill("buyer@example.com")
        tab.get_by_label("Card number").fill(card)
        tab.get_by_label("Expiry date").fill("12 / 34")
        tab.get_by_label("Security code").fill("123")
        tab.get_by_label("Name on card").fill("A Buyer")
        tab.get_by_label("Postal or ZIP code").fill("10001")

    def press_pay(self, page: Page | None = None) -> None:
        """The provider's button with the amount."""
        (page or self.page).get_by_role("button", name="Pay 48.00 USD").click()

    def sees(self, sentence: str, page: Page | None = None) -> None:
        """The one thing that the page says large."""
        expect((page or self.page).get_by_role("heading", level=1)).to_have_text(sentence, timeout=40_000)

    def sees_everywhere(self, in_store: str, on_status_page: str) -> None:
        """The store's page and the payment's own page agree."""
        self.sees(in_store)
        self.picture("order")
        self.page.get_by_role("link", name="Payment status").click()
        self.sees(on_status_page)
        self.picture("status")

    def _heard(self, message: ConsoleMessage) -> None:
        # A browser says "error" of every answer that is not 2xx, also where that is the right answer.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)
