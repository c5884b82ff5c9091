"""Routes under /v1."""

from django.urls import path

from merchants.api.views import SellerDetail, SellerList

urlpatterns = [
    path("sellers", SellerList.as_view()),
    path("sellers/<str:reference>", SellerDetail.as_view()),
]
