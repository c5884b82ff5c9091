"""What a view declares about one of its methods."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from core.api.schemas import Component, Schema
from core.api.serializers import StrictSerializer
from core.errors import DomainError

__all__ = ["Operation"]


@dataclass(frozen=True)
class Operation:
    """The contract of one method of a view.

    `id` is the stable operationId. `returns` is the object of a success with `status`, None if it has no
    body. `errors` are those that only this operation has: what every operation of its kind can answer is
    added. `query` says what its parameters are, except those that mean the same everywhere (limit, cursor,
    created_gte, created_lt, seller_account); `path` the same for what stands in braces in the path.
    `body` is needed where the view has no `Input` for the method. `files` are other forms of the answer by
    content type, with a word on each, or with its schema. `example` is a body to show, which a test sends.
    """

    id: str
    returns: Component | None = None
    status: int = HTTPStatus.OK
    errors: tuple[type[DomainError], ...] = ()
    query: Mapping[str, Schema] = field(default_factory=dict)
    required_query: tuple[str, ...] = ()
    path: Mapping[str, Schema] = field(default_factory=dict)
    body: type[StrictSerializer] | None = None
    files: Mapping[str, str | Component] = field(default_factory=dict)
    example: Mapping[str, Any] | None = None
