"""Whether orders can be paid through a payment gateway here."""

from django.conf import settings

from orders_app.exceptions import PaymentsUnavailable


def require_payment_gateway() -> None:
    """Raise PaymentsUnavailable where no payment gateway is configured."""
    if not settings.STRIPE_SECRET_KEY:
        raise PaymentsUnavailable
