"""Routes of pay-in, below /v1/."""

from django.urls import path

from payments.api.attempt_views import (
    AttemptList,
    CheckoutCancellation,
    PaymentCancellation,
    PaymentCapture,
)
from payments.api.dispute_views import DisputeDetail, DisputeEvidenceList, DisputeList
from payments.api.fulfillment import PaymentFulfillment
from payments.api.method_views import MethodOfferList, PaymentMethodDetail, PaymentMethodList
from payments.api.refund_views import RefundDetail, RefundList
from payments.api.top_up_views import TopUpDetail, TopUpList
from payments.api.views import CheckoutDetail, PaymentDetail, PaymentList

urlpatterns = [
    path("wallets/<str:reference>/top_ups", TopUpList.as_view()),
    path("top_ups/<str:reference>", TopUpDetail.as_view()),
    path("payments", PaymentList.as_view()),
    path("payments/<str:reference>", PaymentDetail.as_view()),
    path("payments/<str:reference>/captures", PaymentCapture.as_view()),
    path("payments/<str:reference>/cancellations", PaymentCancellation.as_view()),
    path("payments/<str:reference>/fulfillment", PaymentFulfillment.as_view()),
    path("checkouts/<str:reference>", CheckoutDetail.as_view()),
    path("checkouts/<str:reference>/attempts", AttemptList.as_view()),
    path("refunds", RefundList.as_view()),
    path("refunds/<str:reference>", RefundDetail.as_view()),
    path("disputes", DisputeList.as_view()),
    path("disputes/<str:reference>", DisputeDetail.as_view()),
    path("disputes/<str:reference>/evidence", DisputeEvidenceList.as_view()),
    path("payment_methods", MethodOfferList.as_view()),
    path("buyers/<str:buyer_account>/payment_methods", PaymentMethodList.as_view()),
    path("buyers/<str:buyer_account>/payment_methods/<str:reference>", PaymentMethodDetail.as_view()),
    path("checkouts/<str:reference>/cancellations", CheckoutCancellation.as_view()),
]
