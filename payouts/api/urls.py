"""Routes of pay-out, below /v1/."""

from django.urls import path

from payouts.api.views import PayoutCancellation, PayoutDetail, PayoutList

urlpatterns = [
    path("payouts", PayoutList.as_view()),
    path("payouts/<str:reference>", PayoutDetail.as_view()),
    path("payouts/<str:reference>/cancellation", PayoutCancellation.as_view()),
]
