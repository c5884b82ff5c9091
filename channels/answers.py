"""One request over a channel's own transport to a server that speaks JSON and knows us by a bearer key."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channels.client_transport import Transport
from channels.errors import NoAnswer
from core.transactions import forbids_transaction

__all__ = ["Answer", "ask_json"]


@dataclass(frozen=True)
class Answer:
    """The status and the JSON object that came back."""

    status: int
    data: Mapping[str, Any]


@forbids_transaction
def ask_json(
    transport: Transport, *, method: str, url: str, bearer: str, content: bytes = b"", kind: str = ""
) -> Answer:
    """Send one request and read the JSON object that answers it. Raises NotSent, NoAnswer."""
    headers = {"Authorization": f"Bearer {bearer}", "Accept": "application/json"}
    if kind:
        headers["Content-Type"] = kind
    body, status, _ = transport.request_with_retries(method, url, headers, content)
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoAnswer(f"status {status} with broken JSON") from error
    if not isinstance(data, dict):
        raise NoAnswer(f"status {status} with JSON that is no object")
    return Answer(status, data)
