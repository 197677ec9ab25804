"""Paths under `/api/v1/analytics/`."""

from django.urls import path

from orders_app.api.analytics_views import (
    CancelReasonsView,
    FunnelView,
    LatencyView,
    ProductsView,
    SummaryView,
    TimeseriesView,
)

urlpatterns = [
    path("summary/", SummaryView.as_view(), name="analytics-summary"),
    path("timeseries/", TimeseriesView.as_view(), name="analytics-timeseries"),
    path("products/", ProductsView.as_view(), name="analytics-products"),
    path("funnel/", FunnelView.as_view(), name="analytics-funnel"),
    path("latency/", LatencyView.as_view(), name="analytics-latency"),
    path("reasons/", CancelReasonsView.as_view(), name="analytics-reasons"),
]
