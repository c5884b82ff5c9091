"""The desks, below /admin/desks/: each behind the same door as every page of the console."""

from django.urls import path

from console.desks import (
    authorized,
    days,
    destinations,
    disputes,
    payout_batches,
    payout_blocks,
    payout_new,
    payouts,
    refunds,
    risk_review,
    sellers,
    unknown,
    year_totals,
)
from core.admin_site import site

app_name = "console"

urlpatterns = [
    path("disputes/", site.admin_view(disputes.desk), name="disputes"),
    path("disputes/<str:reference>/", site.admin_view(disputes.desk), name="dispute"),
    path("days/", site.admin_view(days.days), name="days"),
    path("days/<str:merchant>/<str:day>/", site.admin_view(days.day_page), name="day"),
    path("days/<str:merchant>/<str:day>/csv/", site.admin_view(days.csv_file), name="day-csv"),
    path("days/<str:merchant>/<str:day>/pdf/", site.admin_view(days.pdf_file), name="day-pdf"),
    path("unknown/", site.admin_view(unknown.desk), name="unknown"),
    path("unknown/<str:reference>/", site.admin_view(unknown.desk), name="unknown-item"),
    path("sellers/", site.admin_view(sellers.desk), name="sellers"),
    path("sellers/<str:reference>/", site.admin_view(sellers.desk), name="sellers-item"),
    path("authorized/", site.admin_view(authorized.desk), name="authorized"),
    path("authorized/<str:reference>/", site.admin_view(authorized.desk), name="authorized-item"),
    path("risk/", site.admin_view(risk_review.desk), name="risk-review"),
    path("risk/<str:reference>/", site.admin_view(risk_review.desk), name="risk-review-item"),
    path("refunds/", site.admin_view(refunds.desk), name="refunds"),
    path("refunds/<str:reference>/", site.admin_view(refunds.desk), name="refund"),
    path("refunds/of/<str:reference>/", site.admin_view(refunds.new), name="refund-new"),
    path("year-totals/", site.admin_view(year_totals.desk), name="year-totals"),
    path("payouts/", site.admin_view(payouts.desk), name="payouts"),
    path("payouts/new/", site.admin_view(payout_new.choose), name="payout-new"),
    path("payouts/of/<str:reference>/", site.admin_view(payout_new.new), name="payout-of"),
    path("payouts/<str:reference>/", site.admin_view(payouts.desk), name="payout"),
    path("payout-batches/", site.admin_view(payout_batches.desk), name="payout-batches"),
    path("payout-batches/<str:reference>/", site.admin_view(payout_batches.desk), name="payout-batch"),
    path("payout-batches/<str:reference>/file/", site.admin_view(payout_batches.file), name="payout-file"),
    path("destinations/", site.admin_view(destinations.desk), name="destinations"),
    path("destinations/<str:reference>/", site.admin_view(destinations.desk), name="destination"),
    path("payout-blocks/", site.admin_view(payout_blocks.desk), name="payout-blocks"),
    path("payout-blocks/new/", site.admin_view(payout_blocks.new), name="payout-block-new"),
    path("payout-blocks/<uuid:block_id>/", site.admin_view(payout_blocks.desk), name="payout-block"),
]
