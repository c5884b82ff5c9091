"""A person at the console: password, code, pages and buttons, over plain HTTP."""

from __future__ import annotations

import hashlib
import hmac
import html
import re
import struct
import time
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from typing import NamedTuple

CODE_SECONDS = 30


class Page(NamedTuple):
    """What came back."""

    status: int
    url: str
    source: str

    @property
    def text(self) -> str:
        """What is read on it, without tags and scripts."""
        bare = re.sub(r"<(script|style)\b.*?</\1>", " ", self.source, flags=re.DOTALL)
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", bare)).split())

    def value(self, name: str) -> str:
        """What a field of its form holds; empty where it has no such field."""
        for tag in re.findall(r"<input\b[^>]*>", self.source):
            if re.search(rf'\bname="{re.escape(name)}"', tag):
                found = re.search(r'\bvalue="([^"]*)"', tag)
                return html.unescape(found[1]) if found else ""
        return ""


class NotDone(Exception):
    """A page did not say what it says when a button did its work."""


class Person:
    """Signed in from the start."""

    def __init__(self, base: str, *, name: str, password: str, totp_secret: str) -> None:
        self.base, self.name = base, name
        self._cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        self.press("/admin/login/", username=name, password=password, next="/admin/")
        # A code works once: who was here a moment ago takes the next one, which is taken early as well.
        for ahead in (0, CODE_SECONDS):
            code = one_time_code(bytes.fromhex(totp_secret), at=time.time() + ahead)
            page = self.press("/admin/code/", code=code, next="/admin/")
            if page.status == 200 and "/admin/code/" not in page.url:
                return
        raise NotDone(f"{name} could not sign in: {page.text[:300]}")

    def get(self, path: str) -> Page:
        """Open a page."""
        return self._send(path, None)

    def press(self, path: str, **fields: str) -> Page:
        """Fill in the form of a page and send it; the page it leads to."""
        if not self._token():
            self.get(path)
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": self._token(), **fields})
        return self._send(path, data.encode())

    def must(self, path: str, says: str, **fields: str) -> Page:
        """Press a button and read that it worked. Raises NotDone with what the page says instead."""
        page = self.press(path, **fields)
        if page.status != 200 or says not in page.text:
            raise NotDone(f"{self.name} at {path} {fields}: {page.status} {page.text[-1200:]}")
        return page

    def _token(self) -> str:
        return next((each.value or "" for each in self._cookies if each.name == "csrftoken"), "")

    def _send(self, path: str, body: bytes | None) -> Page:
        # The base is our own web process, the path one of our pages.
        place = urllib.parse.urljoin(self.base, path)
        request = urllib.request.Request(place, data=body)  # noqa: S310
        try:
            with self._opener.open(request, timeout=120) as answer:
                return Page(answer.status, answer.url, answer.read().decode(errors="replace"))
        except urllib.error.HTTPError as error:
            with error:
                return Page(error.code, error.url or path, error.read().decode(errors="replace"))


def one_time_code(secret: bytes, *, at: float) -> str:
    """Return the six digits that an authenticator app shows at a moment (RFC 6238)."""
    digest = hmac.new(secret, struct.pack(">Q", int(at) // CODE_SECONDS), hashlib.sha1).digest()
    place = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[place : place + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
