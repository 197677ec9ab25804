"""Paths of orders and authentication, below `/api/v1/`."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from orders_app.accounts.account_views import (
    ConfirmAddressView,
    OwnAccountView,
    RequestResetView,
    ResetPasswordView,
)
from orders_app.accounts.views import (
    ChangePasswordView,
    LogOutView,
    ObtainTokensView,
    RefreshTokensView,
    RegisterView,
)
from orders_app.api.payment_webhook import PaymentWebhookView
from orders_app.api.product_stock import ProductStockView
from orders_app.api.views import OrderViewSet

router = SimpleRouter(use_regex_path=False)
router.register("orders", OrderViewSet, basename="order")

urlpatterns = [
    path("auth/token/", ObtainTokensView.as_view(), name="obtain-tokens"),
    path("auth/token/refresh/", RefreshTokensView.as_view(), name="refresh-tokens"),
    path("auth/register/", RegisterView.as_view(), name="register"),
    path("auth/logout/", LogOutView.as_view(), name="log-out"),
    path("auth/password/change/", ChangePasswordView.as_view(), name="change-password"),
    path("auth/password/reset/", RequestResetView.as_view(), name="request-reset"),
    path("auth/password/reset/confirm/", ResetPasswordView.as_view(), name="reset-password"),
    path("auth/email/confirm/", ConfirmAddressView.as_view(), name="confirm-address"),
    path("auth/me/", OwnAccountView.as_view(), name="own-account"),
    path("payments/webhook/", PaymentWebhookView.as_view(), name="payment-webhook"),
    path("products/<str:product_id>/stock/", ProductStockView.as_view(), name="product-stock"),
    path("analytics/", include("orders_app.api.analytics_urls")),
    path("", include(router.urls)),
]
