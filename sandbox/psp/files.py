"""Files that merchants upload as evidence: type by their first bytes, size by the provider's limits."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Any

from sandbox.psp.call import Call, Object
from sandbox.psp.errors import ApiError, invalid
from sandbox.psp.lists import page

PURPOSES = {"dispute_evidence", "customer_signature"}
#: Bytes of one file of evidence.
LARGEST = 5_000_000
KEPT_SECONDS = 90 * 86400

#: First bytes to type.
_SIGNS = ((b"%PDF-", "pdf"), (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"))
_NAME = re.compile(r'[; ]name="([^"]*)"')
_FILENAME = re.compile(r'filename="([^"]*)"')


class MultipartError(ValueError):
    """The body is no multipart form."""


def decode_multipart(body: bytes, content_type: str) -> dict[str, Any]:
    """Decode a multipart form (RFC 7578); a file becomes ``{"name", "bytes"}`` with base64 in it.

    Base64, so that the parameters can be logged and compared like any others.
    """
    _, _, boundary = content_type.partition("boundary=")
    boundary = boundary.strip().strip('"')
    if not boundary:
        raise MultipartError("there is no boundary")
    values: dict[str, Any] = {}
    for part in body.split(b"--" + boundary.encode())[1:]:
        if part.startswith(b"--"):
            return values
        head, found, content = part.partition(b"\r\n\r\n")
        header = head.decode(errors="replace")
        name = _NAME.search(header)
        if not found or name is None:
            raise MultipartError("a part has no name, or no end of its header")
        # Only the line break that belongs to the boundary is cut off: a file may end in some of its own.
        content = content.removesuffix(b"\r\n")
        filename = _FILENAME.search(header)
        if filename is None:
            values[name[1]] = content.decode(errors="replace")
        else:
            values[name[1]] = {"name": filename[1], "bytes": base64.b64encode(content).decode()}
    raise MultipartError("the last boundary is missing")


def create(call: Call) -> Object:
    """``POST /v1/files``: a multipart form with ``purpose`` and ``file``."""
    params = call.params
    purpose = params.choice("purpose", PURPOSES)
    if purpose is None:
        raise invalid("Missing required param: purpose.", param="purpose", code="parameter_missing")
    file = params.mapping("file")
    params.close()
    if file is None or set(file) != {"name", "bytes"}:
        raise invalid("Missing required param: file.", param="file", code="parameter_missing")
    try:
        content = base64.b64decode(file["bytes"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("The file cannot be read.", param="file") from error
    if not 1 <= len(content) <= LARGEST:
        raise invalid(f"A file has 1 to {LARGEST} bytes.", param="file")
    kind = next((kind for sign, kind in _SIGNS if content.startswith(sign)), None)
    if kind is None:
        raise invalid("A file of evidence is a PDF, a PNG or a JPEG.", param="file")
    identifier = call.new_id("file")
    made: Object = {
        "id": identifier,
        "object": "file",
        "created": call.now,
        "expires_at": call.now + KEPT_SECONDS,
        "filename": file["name"],
        "links": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/file_links?file={identifier}",
        },
        "purpose": purpose,
        "size": len(content),
        "title": None,
        "type": kind,
        "url": f"{call.base_url}/v1/files/{identifier}/contents",
    }
    return call.insert(made, {"sha256": hashlib.sha256(content).hexdigest()})


def retrieve(call: Call) -> Object:
    """``GET /v1/files/{id}``."""
    call.params.close()
    return call.load("file", call.target, param="file")[0]


def contents(call: Call) -> Object:
    """``GET /v1/files/{id}/contents``: the bytes of a file that the provider made."""
    call.params.close()
    _, hidden = call.load("file", call.target, param="file")
    if "chunks" not in hidden:
        raise ApiError(403, "invalid_request_error", "The contents of this file cannot be downloaded.")
    rows = call.database.rows("SELECT content FROM file_chunk WHERE file = ? ORDER BY n", (hidden["chunks"],))
    call.content = (b"".join(row["content"] for row in rows), "text/csv; charset=utf-8")
    return {}


def list_all(call: Call) -> Object:
    """``GET /v1/files``, by purpose when asked."""
    return page(call, "file", {"json_extract(body, '$.purpose')": call.params.text("purpose")})
