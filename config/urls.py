"""Every route of the system."""

from django.urls import URLPattern, URLResolver, include, path

from core.admin_site import site
from core.api import handlers
from core.api.docs_pages import explorer, reference
from core.api.error_pages import error_catalogue
from core.api.schema_view import SchemaView
from core.health import healthz, readyz
from core.metrics_page import metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("admin/desks/", include("console.urls")),
    path("admin/", site.urls),
    path("docs", explorer),
    path("docs/redoc", reference),
    path("docs/errors", error_catalogue),
    # Looked through in this order: what is asked most stands first.
    path("v1/", include("payments.api.urls")),
    path("v1/", include("merchants.api.urls")),
    path("v1/", include("payouts.api.urls")),
    path("v1/", include("wallet.api.urls")),
    path("v1/schema", SchemaView.as_view()),
    path("v1/", include("events.api.urls")),
    path("psp/", include("events.urls")),
    path("pay/", include("payments.urls")),
    # Last: whatever no app claims under the API answers in the API's own words.
    path("v1/<path:rest>", handlers.unknown_route),
]

handler400 = handlers.bad_request
handler403 = handlers.permission_denied
handler404 = handlers.not_found
handler500 = handlers.server_error
