"""Every route of the system."""

from django.urls import URLPattern, URLResolver, path

from core.health import healthz, readyz

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("readyz", readyz),
]
