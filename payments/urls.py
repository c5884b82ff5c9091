"""Routes of the buyer's pages, below /pay/."""

from django.urls import path

from payments.pages.views import come_back, state, status

urlpatterns = [
    path("<str:reference>", status),
    path("<str:reference>/state", state),
    path("<str:reference>/return", come_back),
]
