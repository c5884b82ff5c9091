"""Routes of webhooks out and of the feed, below /v1/."""

from django.urls import path

from events.api.delivery_views import DeliveryList, RangeRedelivery
from events.api.endpoint_views import EndpointDetail, EndpointList, SecretRotation
from events.api.event_views import EventDetail, EventFeed, EventRedelivery

urlpatterns = [
    path("events", EventFeed.as_view()),
    path("events/<str:reference>", EventDetail.as_view()),
    path("events/<str:reference>/redeliveries", EventRedelivery.as_view()),
    path("webhook_endpoints", EndpointList.as_view()),
    path("webhook_endpoints/<str:reference>", EndpointDetail.as_view()),
    path("webhook_endpoints/<str:reference>/secret_rotations", SecretRotation.as_view()),
    path("webhook_endpoints/<str:reference>/deliveries", DeliveryList.as_view()),
    path("webhook_endpoints/<str:reference>/redeliveries", RangeRedelivery.as_view()),
]
