"""Routes of pay-out, below /v1/."""

from django.urls import path

from payouts.api.destination_views import DestinationDetail, DestinationList

urlpatterns = [
    path("sellers/<str:reference>/destinations", DestinationList.as_view()),
    path("sellers/<str:reference>/destinations/<str:destination>", DestinationDetail.as_view()),
]
