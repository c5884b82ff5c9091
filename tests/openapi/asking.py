"""Random requests from the description: good ones, bad ones, and rubbish; each sent as every role."""

import json
import uuid
from collections.abc import Sequence
from copy import deepcopy
from typing import Any
from urllib.parse import quote
from uuid import UUID

import schemathesis
from django.http import HttpResponse
from django.test import Client
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, checks
from schemathesis.core.parameters import ParameterLocation
from schemathesis.schemas import APIOperation

from channels.services import create_channel
from config.wsgi import application
from merchants.scopes import SCOPES
from merchants.services import create_api_key, create_seller
from tests.openapi.contract import document
from tests.store import open_store

__all__ = ["CHECKS", "Role", "good_or_bad", "open_roles", "operations_of", "rubbish", "send_rubbish"]

checks.load_all_checks()
CHECKS = checks.CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "missing_required_header",
    ]
)
READS = frozenset(scope for scope in SCOPES if scope.endswith(":read"))
Role = dict[str, str]


def open_roles() -> list[Role]:
    """Nobody, who may only read, and who may do everything; the last two are of one merchant."""
    store = open_store()
    reader = create_api_key(merchant_id=store.merchant_id, name="reader", scopes=READS)
    create_channel(
        merchant_id=store.merchant_id,
        name=f"psp-{uuid.uuid4().hex[:8]}",
        provider="stripe",
        secret_key="sk_test_x",
        webhook_secret="whsec_x",
        base_url="http://127.0.0.1:9",
        max_in_flight=8,
    )
    for seller in ("ann", "bob"):
        create_seller(merchant_id=store.merchant_id, seller_account=seller, name=seller, country="US")
    # Nobody says whatever was drawn, or nothing.
    return [{}, *({"Authorization": f"Bearer {secret}"} for secret in (reader.secret, store.secret))]


def operations_of() -> list[APIOperation]:
    """Every operation of the description, with the real application behind it."""
    # A copy, because it is written into.
    schema = schemathesis.openapi.from_dict(deepcopy(document()))
    schema.app = application
    return [found.ok() for found in schema.get_all_operations()]


def good_or_bad(
    operation: APIOperation, mode: GenerationMode, known: Sequence[str]
) -> st.SearchStrategy[Case]:
    """Cases that the description allows, or that it does not; some of them about things that exist."""
    cases = operation.as_strategy(generation_mode=mode)
    # To mend what was drawn to be bad would make it good.
    names = st.none() | st.uuids() if mode is GenerationMode.POSITIVE else st.none()
    return st.builds(_about, cases, st.sampled_from([None, *known]), names)


def _is_bad_path(case: Case) -> bool:
    """Say whether the path was drawn to be bad: naming something that exists would make it good."""
    drawn = case.meta.components.get(ParameterLocation.PATH) if case.meta else None
    return drawn is not None and drawn.mode.is_negative


def _about(case: Case, known: str | None, new: UUID | None) -> Case:
    """Name something that exists, and say what can be paid: chance alone would never find it."""
    if known is not None and "reference" in (case.path_parameters or {}) and not _is_bad_path(case):
        case.path_parameters["reference"] = known
    body = case.body
    if new is not None and isinstance(body, dict) and isinstance(body.get("payment_orders"), list):
        body["checkout_id"] = f"c-{new.hex}"
        for index, order in enumerate(body["payment_orders"]):
            if isinstance(order, dict):
                order |= {"seller_account": "ann", "currency": "USD", "amount": "10.00"}
                order["payment_order_id"] = f"o-{new.hex[:12]}-{index}"
        for name in ("capture", "payment_method", "credit_card_info"):
            body.pop(name, None)
    return case


_NAMES = (
    "Accept Accept-Encoding Accept-Language Authorization Content-Encoding Content-Type Cookie Expect "
    "Idempotency-Key Origin Range Transfer-Encoding X-Forwarded-For"
)
_WORDS = (
    "*/* -1 0 99999999999999999999 4242424242424242 application/json application/json;charset=latin-1 "
    "bytes=0- chunked é gzip identity text/plain utf-8 \x00 \x7f"
)
_HEADERS = st.dictionaries(
    st.sampled_from(_NAMES.split()), st.sampled_from(["", "a" * 5000, *_WORDS.split(" ")]), max_size=4
)
_NUMBERS = st.sampled_from([0, -1, 2**53, 2**63 - 1, 2**63, 10**30, 1e308, 0.1, float("nan"), float("inf")])
_TEXTS = st.text(max_size=20) | st.sampled_from(["\x00", "\ud800", "\u202e", "__proto__", "ann", "4242" * 4])
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=12,
)


class _Long(bytes):
    """A failure that has it in it can still be read."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


_NESTED = st.integers(1, 5000).map(lambda depth: b"[" * depth + b"]" * depth)
_BODIES = (
    st.binary(max_size=64)
    | _NESTED
    | _VALUES.map(lambda value: json.dumps(value).encode())
    | st.just(b'{"a": 1, "a": 2}')
    | st.just(b"\xef\xbb\xbf{}")
    | st.just(_Long(b'"' + b"a" * 1_100_000 + b'"'))
)


def rubbish(fields: Sequence[str], names: Sequence[str]) -> st.SearchStrategy[Any]:
    """Headers, query and body that no client sends on purpose; some bodies have the names of real fields."""
    bodies = st.dictionaries(st.sampled_from(list(fields) or ["a"]), _VALUES, max_size=5)
    queries = st.dictionaries(st.sampled_from([*names, "x", "limit"]) | _TEXTS, _TEXTS, max_size=3)
    return st.tuples(_HEADERS, queries, _BODIES | bodies.map(lambda body: json.dumps(body).encode()), _TEXTS)


def send_rubbish(operation: APIOperation, thing: Any, role: Role) -> tuple[str, HttpResponse]:
    """Send it; return the path and the answer."""
    headers, query, body, reference = thing
    path = operation.path
    for name in ("reference", "buyer_account"):
        path = path.replace(f"{{{name}}}", quote(_bytes(reference), safe="") or "x")
    kind = headers.get("Content-Type", "application/json")
    sent = {"Idempotency-Key": uuid.uuid4().hex, **headers, **role}
    if not role and "Authorization" in headers:
        sent["Authorization"] = f"Bearer {headers['Authorization']}"
    client = Client(raise_request_exception=False)
    asked = "&".join(f"{quote(_bytes(name))}={quote(_bytes(value))}" for name, value in query.items())
    answer = client.generic(operation.method.upper(), f"{path}?{asked}", body, kind, headers=sent)
    return path, answer


def _bytes(text: str) -> bytes:
    """What is no Unicode goes out as it is: the server may not trust that addresses are UTF-8."""
    return text.encode("utf-8", "surrogatepass")
