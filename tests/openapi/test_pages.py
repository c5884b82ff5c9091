"""The description is served, and so are the pages that show it, with nothing from anywhere else."""

import json
import re
from html.parser import HTMLParser

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.test import Client

from tests.openapi.contract import check_answer, document

PAGES = ("/docs", "/docs/redoc")


class Links(HTMLParser):
    """Everything that a page refers to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            value or "" for name, value in attrs if name in ("src", "href", "action", "data-schema")
        ]


@pytest.mark.parametrize(
    ("query", "accept", "kind"),
    [
        ("", "*/*", "application/json"),
        ("", "application/json", "application/json"),
        ("", "application/yaml", "application/yaml"),
        ("?format=yaml", "*/*", "application/yaml"),
        ("?format=json", "application/yaml", "application/json"),
    ],
)
def test_the_description_is_served_to_everybody(query: str, accept: str, kind: str) -> None:
    answer = Client().get(f"/v1/schema{query}", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
    read = json.loads if kind == "application/json" else yaml.safe_load
    assert read(answer.content) == document()
    check_answer("GET", "/v1/schema", answer)


@pytest.mark.parametrize(
    ("query", "accept", "status"), [("?format=xml", "*/*", 400), ("?a=1", "*/*", 400), ("", "text/html", 406)]
)
def test_another_form_is_refused(query: str, accept: str, status: int) -> None:
    answer = Client().get(f"/v1/schema{query}", headers={"Accept": accept})
    assert answer.status_code == status
    check_answer("GET", "/v1/schema", answer)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_refers_to_this_host_alone(page: str) -> None:
    answer = Client().get(page)
    links = Links(answer.content.decode()).found
    assert len(links) > 5
    for link in links:
        assert link.startswith("/")
        assert not link.startswith("//")
        asset = Client().get(link)
        assert asset.status_code == 200, link
        content = asset.getvalue()
        assert content
        if link.endswith(".css"):
            outside = re.findall(rb"url\(\s*(?![\"']?data:)|@import", content)
            assert outside == [], link
    # And if a script wanted to, the browser would refuse: there is no other host in the policy.
    policy = answer.headers["Content-Security-Policy"]
    # The directives come in any order.
    assert {"default-src 'none'", "script-src 'self'"} <= set(policy.split("; "))
    assert "http" not in policy
    assert "*" not in policy


def test_pages_are_only_read() -> None:
    assert [Client().post(page).status_code for page in PAGES] == [405, 405]


def test_the_reference_is_current() -> None:
    """Run manage.py document_api when this fails."""
    call_command("document_api", check=True)


def test_a_reference_that_is_not_current_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.management.commands.document_api.as_markdown", lambda document: "# Other\n")
    with pytest.raises(CommandError, match="out of date"):
        call_command("document_api", check=True)
