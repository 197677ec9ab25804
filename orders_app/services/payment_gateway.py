"""Whether orders can be paid through a payment gateway here."""

from django.conf import settings

from orders_app.exceptions import PaymentsUnavailable


def has_payment_gateway() -> bool:
    """Whether a payment gateway is configured."""
    return bool(settings.STRIPE_SECRET_KEY)


def require_payment_gateway() -> None:
    """Raise PaymentsUnavailable where no payment gateway is configured."""
    if not has_payment_gateway():
        raise PaymentsUnavailable
