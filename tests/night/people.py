"""A person at the console of a running system: password, code, pages and buttons, over plain HTTP."""

import html
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from django_otp.oath import TOTP

__all__ = ["Page", "Person"]


class Page:
    """What came back."""

    def __init__(self, status: int, url: str, body: bytes) -> None:
        self.status, self.url, self.body = status, url, body

    @property
    def source(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def text(self) -> str:
        """What is read on it, without tags, scripts and superfluous spaces."""
        bare = re.sub(r"<(script|style)\b.*?</\1>", " ", self.source, flags=re.S)
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", bare)).split())

    def value(self, name: str) -> str:
        """The value of a field of a form."""
        for tag in re.findall(r"<input\b[^>]*>", self.source):
            if re.search(rf'\bname="{re.escape(name)}"', tag):
                found = re.search(r'\bvalue="([^"]*)"', tag)
                return html.unescape(found[1]) if found else ""
        raise AssertionError(f"{self.url} has no field {name}")


class Person:
    """Signed in from the start; a browser without scripts."""

    def __init__(self, base: str, name: str, password: str, totp_secret: str) -> None:
        self.base, self.name = base, name
        self._cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        self.press("/admin/login/", username=name, password=password, next="/admin/")
        page = self._enter(TOTP(bytes.fromhex(totp_secret)))
        assert page.status == 200 and "/admin/code/" not in page.url, page.text[:300]

    def _enter(self, app: TOTP) -> Page:
        """A code works once: who was here a moment ago takes the next one, which is taken early as well."""
        for ahead in (0, app.step):
            app.time = time.time() + ahead
            page = self.press("/admin/code/", code=f"{app.token():06d}", next="/admin/")
            if page.status == 200 and "/admin/code/" not in page.url:
                break
        return page

    def get(self, path: str) -> Page:
        return self._send(path, None)

    def press(self, path: str, **fields: str) -> Page:
        """Fill in the form of a page and send it; the page it leads to."""
        token = self._token() or (self.get(path) and self._token())
        return self._send(path, urllib.parse.urlencode({"csrfmiddlewaretoken": token, **fields}).encode())

    def _token(self) -> str:
        return next((each.value or "" for each in self._cookies if each.name == "csrftoken"), "")

    def _send(self, path: str, body: bytes | None) -> Page:
        request = urllib.request.Request(urllib.parse.urljoin(self.base, path), data=body)
        try:
            with self._opener.open(request, timeout=60) as answer:
                return Page(answer.status, answer.url, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Page(error.code, error.url or path, error.read())
