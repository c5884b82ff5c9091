"""Calls, answers and casts as JSON, for a process that is told what to do."""

import json
from dataclasses import fields, is_dataclass
from typing import Any
from uuid import UUID

from tests.stateful.calls import (
    Advance,
    Answer,
    Close,
    Correct,
    Entry,
    Line,
    Post,
    ReadBooks,
    ReadWallet,
)
from tests.stateful.cast import Account, Cast
from tests.stateful.hold_model import Cancel, Confirm, Expire, Fund, Owe, Release, Try

__all__ = ["read", "written"]

_KINDS = {
    kind.__name__: kind
    for kind in (
        *(Advance, Answer, Cast, Close, Correct, Entry, Line, Post, ReadBooks, ReadWallet),
        *(Cancel, Confirm, Expire, Fund, Owe, Release, Try),
    )
}


def written(value: Any) -> str:
    """Return the value in one line."""
    return json.dumps(_plain(value))


def read(text: str | bytes) -> Any:
    """Return the value that was written."""
    return _value(json.loads(text))


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list():
            return [_plain(each) for each in value]
        case UUID():
            return {"is": "UUID", "has": str(value)}
        case Account():
            return {"is": "Account", "has": list(value)}
        case tuple():
            return {"is": "tuple", "has": [_plain(each) for each in value]}
        case dict():
            return {"is": "dict", "has": [[_plain(key), _plain(inner)] for key, inner in value.items()]}
    assert is_dataclass(value), value
    parts = {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return {"is": type(value).__name__, "has": parts}


def _value(plain: Any) -> Any:
    match plain:
        case list():
            return [_value(each) for each in plain]
        case {"is": "UUID", "has": has}:
            return UUID(has)
        case {"is": "Account", "has": has}:
            return Account(*has)
        case {"is": "tuple", "has": has}:
            return tuple(_value(each) for each in has)
        case {"is": "dict", "has": has}:
            return {_value(key): _value(inner) for key, inner in has}
        case {"is": kind, "has": has}:
            return _KINDS[kind](**{name: _value(part) for name, part in has.items()})
    return plain
