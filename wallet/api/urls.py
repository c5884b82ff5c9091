"""Routes of wallets, below /v1/."""

from django.urls import path

from wallet.api.views import (
    BuyerWallets,
    SellerWallets,
    WalletDetail,
    WalletList,
    WalletOperations,
    WalletStatement,
)

urlpatterns = [
    path("sellers/<str:reference>/wallets", SellerWallets.as_view()),
    path("buyers/<str:reference>/wallets", BuyerWallets.as_view()),
    path("wallets", WalletList.as_view()),
    path("wallets/<str:reference>", WalletDetail.as_view()),
    path("wallets/<str:reference>/operations", WalletOperations.as_view()),
    path("wallets/<str:reference>/statement", WalletStatement.as_view()),
]
