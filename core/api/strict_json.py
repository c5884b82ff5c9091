"""Read a JSON object from bytes and refuse everything that two readers could understand differently."""

import json
import re
from typing import Any, NoReturn

from core.api.errors import InvalidString, MalformedRequest
from core.card_data import CardDataForbidden, contains_card_number
from core.money import InvalidAmount

__all__ = ["MAX_BYTES", "MAX_DEPTH", "check_text", "read_object"]

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
# The integers that both PostgreSQL's bigint and this API can hold.
_MAX_INTEGER = 2**63 - 1
_FORBIDDEN_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class _RefusedNumber:
    """A fraction, an exponent or a number that is too large: reported with the place where it stands."""


def read_object(raw: bytes) -> dict[str, Any]:
    """Return the JSON object that the body holds.

    Raises MalformedRequest (not UTF-8, byte-order mark, not JSON, a key twice, too deep, a number that
    is no integer, not an object), InvalidAmount (a fraction where an amount is meant), InvalidString
    (control characters, lone surrogates) and CardDataForbidden.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedRequest("The body is not UTF-8.") from None
    if text.startswith("\ufeff"):
        raise MalformedRequest("The body begins with a byte-order mark.")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=lambda _: _RefusedNumber(),
            parse_int=_integer,
            parse_constant=_constant,
        )
    except RecursionError:
        raise MalformedRequest(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except json.JSONDecodeError as error:
        raise MalformedRequest(f"The body is not JSON (line {error.lineno}, column {error.colno}).") from None
    if type(value) is not dict:
        raise MalformedRequest("The body must be a JSON object.")
    _check(value, "", "", 1)
    return value


def check_text(text: str) -> str:
    """Return the text; raise InvalidString or CardDataForbidden if it may not enter the system."""
    if _FORBIDDEN_CHARACTER.search(text):
        raise InvalidString()
    if contains_card_number(text):
        raise CardDataForbidden()
    return text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise MalformedRequest("An object has the same key twice.")
    return value


def _integer(literal: str) -> int | _RefusedNumber:
    # The length first: turning a million digits into a number is itself an attack.
    if len(literal) > 20 or abs(number := int(literal)) > _MAX_INTEGER:
        return _RefusedNumber()
    return number


def _constant(name: str) -> NoReturn:
    raise MalformedRequest(f"{name} is not JSON.")


def _check(value: Any, path: str, name: str, depth: int) -> None:
    if isinstance(value, str):
        _at(path, value)
    elif isinstance(value, dict):
        _check_depth(depth)
        for key, item in value.items():
            # A refused key is not repeated in the answer: it may be what must not be shown.
            _at(path, key)
            _check(item, _join(path, key), key, depth + 1)
    elif isinstance(value, list):
        _check_depth(depth)
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]", name, depth + 1)
    elif isinstance(value, _RefusedNumber):
        if name == "amount":
            raise InvalidAmount(param=path)
        raise MalformedRequest("Numbers must be integers of at most 63 bits.", param=path)
    elif type(value) is int and contains_card_number(str(value)):
        raise CardDataForbidden(param=path)


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MalformedRequest(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _at(path: str, text: str) -> None:
    try:
        check_text(text)
    except (InvalidString, CardDataForbidden) as error:
        raise (error.at(path) if path else error) from None


def _join(path: str, key: str) -> str:
    shown = key if _PLAIN_NAME.fullmatch(key) else "*"
    return f"{path}.{shown}" if path else shown
