"""A person of finance with a real browser at the console; pictures of it for the documentation."""

import io
import os
import time
from pathlib import Path

from django_otp.oath import TOTP
from playwright.sync_api import BrowserContext, Page, expect

from tests.night.world import World

__all__ = ["DESKTOP", "PHONE", "Seat", "pictures_folder"]

DESKTOP = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}
_SEARCH = "Find a payment by any of its names"


def pictures_folder() -> Path | None:
    """Where pictures for the documentation go; None unless QUITTANCE_SCREENSHOTS asks for them."""
    place = os.environ.get("QUITTANCE_SCREENSHOTS")
    return Path(place) if place else None


class Seat:
    """One person of the demo, signed in with password and code."""

    def __init__(self, context: BrowserContext, world: World, who: str) -> None:
        self.world, self.who, self.errors = world, who, list[str]()
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.go("/admin/")
        self.page.locator("input[name=username]").fill(str(world.facts[f"{who}_user"]))
        self.page.locator("input[name=password]").fill(str(world.facts[f"{who}_password"]))
        self.page.locator("input[name=password]").press("Enter")
        self._enter(TOTP(bytes.fromhex(str(world.facts[f"{who}_totp_secret"]))))

    def _enter(self, app: TOTP) -> None:
        """A code works once; the next one is taken early as well."""
        for ahead in (0, app.step):
            app.time = time.time() + ahead
            field = self.page.locator("input[name=code]")
            field.fill(f"{app.token():06d}")
            field.press("Enter")
            self.page.wait_for_load_state()
            if "/admin/code/" not in self.page.url:
                break
        expect(self.page).to_have_url(f"{self.world.api_url}/admin/")

    def go(self, path: str) -> None:
        """Open a page of the console."""
        self.page.goto(self.world.api_url + path)

    def find(self, name: str) -> None:
        """Type a name into the search of the header."""
        box = self.page.get_by_role("searchbox", name=_SEARCH)
        box.fill(name)
        box.press("Enter")
        self.page.wait_for_load_state()

    def sees(self, *words: str) -> None:
        """The page says so."""
        for each in words:
            expect(self.page.locator("#main")).to_contain_text(each)

    def press(self, name: str, *, reason: str = "") -> None:
        """Say why, where it is asked for, and press the button that begins with this name."""
        button = self.page.locator("button", has_text=name).first
        if reason:
            button.locator("xpath=ancestor::form").locator("textarea[name=reason]").first.fill(reason)
        button.click()
        self.page.wait_for_load_state()

    def picture(self, name: str, *, to: str = "") -> None:
        """See that the page fits a phone; keep pictures of both sizes when they are asked for."""
        folder = pictures_folder()
        for suffix, size in (("", DESKTOP), ("-phone", PHONE)):
            self.page.set_viewport_size({"width": size["width"], "height": size["height"]})
            if to:
                self.page.locator(to).first.evaluate("it => it.scrollIntoView({block: 'start'})")
            width = self.page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], (name, suffix, width)
            if folder is not None:
                _keep(self.page.screenshot(), folder / f"{name}{suffix}.png")
        self.page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})


def _keep(png: bytes, place: Path) -> None:
    """A picture of few colours is small enough for a repository."""
    # Only who asks for pictures needs it; reportlab brings it along.
    from PIL import Image

    place.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(png)).convert("RGB").quantize(160).save(place, optimize=True)
