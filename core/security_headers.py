"""Headers that tell browsers what pages of this host may do; stricter where nothing needs more."""

from functools import cache
from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.api.middleware import FOR_PROGRAMS

__all__ = ["SecurityHeaders"]

_PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class SecurityHeaders(CSPMiddleware):
    """One content security policy for the site, another one where CONTENT_SECURITY_POLICY_AREAS says so."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return the policy of the area that the path is in."""
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.config is None:
            parts.config = _area(request.path_info)
        return parts

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add the headers that Django's own middleware does not set."""
        response.headers.setdefault("Permissions-Policy", _PERMISSIONS)
        # No page of another host may load what this one answers.
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if request.path_info.startswith(FOR_PROGRAMS):
            # Their answers have the policy of the site, which no view of them changes.
            response.headers.setdefault(HEADER, _site_policy())
            return response
        answer: HttpResponseBase = super().process_response(request, response)
        return answer


@cache
def _site_policy() -> str:
    return build_policy()


def _area(path: str) -> dict[str, Any] | None:
    for prefix, directives in settings.CONTENT_SECURITY_POLICY_AREAS.items():
        if path.startswith(prefix):
            return dict(directives)
    return None
