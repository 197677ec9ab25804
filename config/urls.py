"""Every path of the system, and who serves it."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config import dependencies
from config.admin_holds import show_holds
from config.api_root import Stockbridge
from config.collected_metrics import update_metrics
from kafka_workers.pages import urls as message_pages
from orders_app.mail.unsubscribing import UNSUBSCRIBE_PATH
from orders_app.pages import urls as order_pages
from orders_app.unsubscribe_page import unsubscribe_page
from products_app.pages import urls as catalogue_pages
from web import health
from web.metrics_view import metrics_after
from web.page_doors import log_in_page, own_password_page

handler400 = "web.errors.bad_request"
handler403 = "web.errors.permission_denied"
handler404 = "web.errors.page_not_found"
handler500 = "web.errors.server_error"

# The browsable API's, by the names that its templates know.
session = [
    path(
        "login/",
        log_in_page(LoginView.as_view(template_name="rest_framework/login.html", next_page="/api/v1/")),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
]

# Names such as shop:cart and staff:board.
shop = [*catalogue_pages.SHOP, *order_pages.SHOP]
staff = [*order_pages.STAFF, *message_pages.STAFF]

urlpatterns = [
    path("", include((shop, "shop"))),
    path("", include((staff, "staff"))),
    path("language/", set_language, name="set_language"),
    path("admin/login/", log_in_page(admin.site.login)),
    path("admin/password_change/", admin.site.admin_view(own_password_page(admin.site.password_change))),
    path(
        "admin/products_app/product/<str:product_id>/holds/",
        admin.site.admin_view(show_holds),
        name="admin_product_holds",
    ),
    path("admin/", admin.site.urls),
    path("account/", include("orders_app.accounts.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/", include("kafka_workers.pages.urls")),
    path("api/session/", include((session, "rest_framework"))),
    path("api/v1/", Stockbridge.as_view()),
    path("api/v1/", include("orders_app.api.urls")),
    path("api/v1/products/", include("products_app.api.urls")),
    path(f"{UNSUBSCRIBE_PATH}<str:token>/", unsubscribe_page),
    path("health/live", health.live),
    path("health/ready", dependencies.ready),
    path("metrics", metrics_after(update_metrics)),
]
