"""Refusals of the bank's API and its JSON answers."""

from __future__ import annotations

from typing import Any

from sandbox.database import dump
from sandbox.server import Response

#: Reasons of ISO 20022 that this bank gives, in its own words.
REASONS = {
    "AC01": "The account number is wrong.",
    "AC02": "The account that shall pay is unknown or wrong.",
    "AC04": "The account is closed.",
    "AC06": "The account is blocked.",
    "AM01": "The amount is zero.",
    "AM03": "The account does not take this currency.",
    "AM04": "The account that shall pay has too little money.",
    "AM05": "This was already sent.",
    "AM10": "The control sum is not the sum of the amounts.",
    "AM12": "The amount is no amount of its currency.",
    "AM18": "The number of transactions is not the one announced.",
    "BE06": "There is no such payee.",
    "DU04": "An end-to-end reference comes twice.",
    "FF01": "The file cannot be read.",
    "MS03": "The receiving bank gives no reason.",
}


class BankError(Exception):
    """A refused request: nothing of it was done."""

    def __init__(self, status: int, code: str, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.param = status, code, param


def reply(status: int, data: Any, **headers: str) -> Response:
    """A JSON answer; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, dump(data).encode(), headers=named)


def refusal(error: BankError) -> Response:
    """A refusal as the bank writes it."""
    body = {"code": error.code, "message": str(error), "param": error.param}
    return reply(error.status, {"error": {name: value for name, value in body.items() if value is not None}})


def reason(code: str | None) -> dict[str, str] | None:
    """A reason with its words; ``None`` when there is none."""
    return None if code is None else {"code": code, "message": REASONS.get(code, "")}
