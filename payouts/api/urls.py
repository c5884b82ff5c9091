"""Where pay-out answers."""

from django.urls import path

from payouts.api.destination_views import DestinationDetail, DestinationList
from payouts.api.views import PayoutCancellation, PayoutDetail, PayoutList

urlpatterns = [
    path("payouts", PayoutList.as_view()),
    path("payouts/<str:reference>", PayoutDetail.as_view()),
    path("payouts/<str:reference>/cancellation", PayoutCancellation.as_view()),
    path("sellers/<str:reference>/destinations", DestinationList.as_view()),
    path("sellers/<str:reference>/destinations/<str:destination>", DestinationDetail.as_view()),
]
