"""Routes of what providers send."""

from django.urls import path

from events.views import provider_webhook

urlpatterns = [path("<str:channel>/webhooks", provider_webhook)]
