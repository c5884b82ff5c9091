"""Events and webhook endpoints."""

from __future__ import annotations

import secrets

from sandbox.database import place_of
from sandbox.psp.call import Call, Object
from sandbox.psp.errors import invalid
from sandbox.psp.lists import page


def retrieve(call: Call) -> Object:
    """``GET /v1/events/{id}``."""
    call.params.close()
    return call.load("event", call.target, param="id")[0]


def list_all(call: Call) -> Object:
    """``GET /v1/events``, by type, types or creation time when asked."""
    params = call.params
    return page(call, "event", {"subtype": params.text("type")}, types=params.names("types"))


def create_endpoint(call: Call) -> Object:
    """``POST /v1/webhook_endpoints``: the answer alone carries the signing secret."""
    params = call.params
    url = params.required("url")
    if not url.startswith(("http://", "https://")):
        raise invalid(
            "Invalid URL: an explicit scheme (such as https) must be given", param="url", code="url_invalid"
        )
    enabled = params.names("enabled_events")
    if not enabled:
        raise invalid(
            "Missing required param: enabled_events.", param="enabled_events", code="parameter_missing"
        )
    description = params.text("description")
    version = params.text("api_version")
    metadata = params.metadata()
    connect = bool(params.boolean("connect"))
    params.close()
    secret = f"whsec_{secrets.token_hex(24)}"
    endpoint = make_endpoint(
        call,
        url=url,
        enabled=enabled,
        secret=secret,
        description=description,
        metadata=metadata,
        version=version,
        connect=connect,
    )
    return {**endpoint, "secret": secret}


def make_endpoint(
    call: Call, *, url: str, enabled: list[str], secret: str, description: str | None = None,
    metadata: dict[str, str] | None = None, version: str | None = None, connect: bool = False,
) -> Object:  # fmt: skip
    """Store an endpoint with a secret that the caller chose.

    With ``connect`` it hears the events of the platform's connected accounts, and not the platform's own.
    """
    endpoint: Object = {
        "id": call.new_id("we"),
        "object": "webhook_endpoint",
        "api_version": version,
        "application": None,
        "created": call.now,
        "description": description,
        "enabled_events": enabled,
        "livemode": False,
        "metadata": metadata or {},
        "status": "enabled",
        "url": url,
    }
    return call.insert(endpoint, {"secret": secret, "connect": connect})


def retrieve_endpoint(call: Call) -> Object:
    """``GET /v1/webhook_endpoints/{id}``; without the secret."""
    call.params.close()
    return call.load("webhook_endpoint", call.target, param="id")[0]


def update_endpoint(call: Call) -> Object:
    """``POST /v1/webhook_endpoints/{id}``: url, events, disabled."""
    params = call.params
    endpoint, _ = call.load("webhook_endpoint", call.target, param="id")
    endpoint["url"] = params.text("url") or endpoint["url"]
    endpoint["enabled_events"] = params.names("enabled_events") or endpoint["enabled_events"]
    disabled = params.boolean("disabled")
    if disabled is not None:
        endpoint["status"] = "disabled" if disabled else "enabled"
    if params.given("description"):
        endpoint["description"] = params.text("description")
    endpoint["metadata"] = params.metadata(endpoint["metadata"])
    params.close()
    return call.save(endpoint)


def delete_endpoint(call: Call) -> Object:
    """``DELETE /v1/webhook_endpoints/{id}``."""
    call.params.close()
    endpoint, _ = call.load("webhook_endpoint", call.target, param="id")
    call.database.execute("DELETE FROM object WHERE seq = ?", (place_of(endpoint["id"]),))
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


def list_endpoints(call: Call) -> Object:
    """``GET /v1/webhook_endpoints``."""
    return page(call, "webhook_endpoint", {})
