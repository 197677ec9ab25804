"""Every path of the system, and who serves it."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config import dependencies
from config.api_root import Stockbridge
from kafka_workers.relay.unread_age import update_unread_age
from web import health
from web.metrics_view import metrics_after

handler400 = "web.errors.bad_request"
handler404 = "web.errors.page_not_found"
handler500 = "web.errors.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/session/", include("rest_framework.urls")),
    path("api/v1/", Stockbridge.as_view()),
    path("api/v1/", include("orders_app.api.urls")),
    path("api/v1/products/", include("products_app.api.urls")),
    path("health/live", health.live),
    path("health/ready", dependencies.ready),
    path("metrics", metrics_after(update_unread_age)),
]
