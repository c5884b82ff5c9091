"""Routes of wallets, below /v1/."""

from django.urls import path

from wallet.api.views import SellerWallets

urlpatterns = [path("sellers/<str:reference>/wallets", SellerWallets.as_view())]
