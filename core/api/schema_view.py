"""The API describes itself: GET /v1/schema."""

from functools import cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.settings import spectacular_settings
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from core.api.openapi import Operation
from core.api.parameters import read_choice
from core.api.schemas import Component, one_of
from core.api.views import ApiView

__all__ = ["SchemaView", "api_document"]

_DOCUMENT = Component(
    "openapi_document",
    {
        "type": "object",
        "description": "An OpenAPI 3.1 document.",
        "required": ["openapi", "info", "paths"],
        "examples": [{"openapi": "3.1.1", "info": {"title": "Quittance", "version": "1"}, "paths": {}}],
    },
)


class _YamlRenderer(OpenApiYamlRenderer):
    media_type = "application/yaml"


class SchemaView(ApiView):
    """GET shows the description of the API; it says nothing secret and needs no key."""

    authentication_classes = ()
    permission_classes = ()
    renderer_classes = (JSONRenderer, _YamlRenderer)
    query_parameters = ("format",)
    operations = {
        "GET": Operation(
            "get_schema",
            returns=_DOCUMENT,
            query={"format": one_of(("json", "yaml"), "The form; without it, what Accept asks for.")},
            files={"application/yaml": _DOCUMENT},
        )
    }

    def get(self, request: Request) -> HttpResponse:
        """Show this description."""
        asked = read_choice(request.query_params, "format", ("json", "yaml"))
        renderer = request.accepted_renderer
        is_yaml = asked == "yaml" or (asked is None and isinstance(renderer, _YamlRenderer))
        kind = "application/yaml" if is_yaml else "application/json"
        return HttpResponse(_rendered(is_yaml), content_type=kind, headers={"Vary": "Accept"})


@cache
def api_document() -> dict[str, Any]:
    """Return the description of the API; the code does not change while a process runs."""
    document: dict[str, Any] = spectacular_settings.DEFAULT_GENERATOR_CLASS().get_schema(public=True)
    return document


@cache
def _rendered(is_yaml: bool) -> bytes:
    renderer = _YamlRenderer() if is_yaml else JSONRenderer()
    content: bytes = renderer.render(api_document(), renderer_context={})
    return content
