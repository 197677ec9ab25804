"""One event for each mail, with what the demo sells: for the previews of the admin."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from django.conf import settings

from orders_app.mail.events import (
    CancelCause,
    Cancelled,
    Confirmed,
    Delivered,
    Facts,
    MailEvent,
    MailLine,
    Money,
    PaymentFailed,
    Placed,
    Refunded,
    Shipped,
)

NUMBER = "SB-DEMO2611"
ORDER_ID = "01975f3e-8a00-7000-8000-00000000000d"
AT = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
DEMO_LINES = (
    ("Walnut Desk Lamp", 1, "89.00"),
    ("Chef's Knife 20 cm", 2, "76.00"),
    ("Storm Lantern", 3, "27.90"),
)
TRACKING = "1Z 999 AA1 01 2345 6784"
SHORTAGE = "We could not reserve your order: Storm Lantern: 3 requested, 1 available."


def example_events(user_id: str) -> Mapping[str, MailEvent]:
    """The events by their names, as if they were of this user."""
    return {
        name: MailEvent(
            key=f"example {name}",
            event_id=f"{ORDER_ID}:{version}",
            order_id=ORDER_ID,
            order_number=NUMBER,
            user_id=user_id,
            facts=facts,
        )
        for version, (name, facts) in enumerate(_facts().items(), start=1)
    }


def _facts() -> Mapping[str, Facts]:
    lines, total = _lines(), _money(sum(quantity * Decimal(price) for _, quantity, price in DEMO_LINES))
    return {
        "placed": Placed(lines=lines, total=total, is_prepaid=True, at=AT),
        "placed-paid-on-delivery": Placed(lines=lines, total=total, is_prepaid=False, at=AT),
        "confirmed": Confirmed(at=AT),
        "payment-failed": PaymentFailed(amount=total, detail="Your card has insufficient funds.", at=AT),
        "payment-failed-last": PaymentFailed(
            amount=total, detail="Your card was declined.", is_last=True, at=AT
        ),
        "cancelled-rejected": _cancelled(CancelCause.REJECTED, SHORTAGE),
        "cancelled-expired": _cancelled(CancelCause.EXPIRED),
        "cancelled-unpaid": _cancelled(CancelCause.UNPAID),
        "cancelled-by-customer": _cancelled(CancelCause.CUSTOMER),
        "cancelled-by-shop": _cancelled(CancelCause.SHOP, "The lamp was damaged in our store."),
        "shipped": Shipped(tracking_number=TRACKING, at=AT),
        "delivered": Delivered(lines=_without_totals(lines), at=AT),
        "refunded": Refunded(amount=_money(Decimal("27.90")), reason="One lantern came broken.", at=AT),
    }


def _lines() -> tuple[MailLine, ...]:
    return tuple(
        MailLine(name, number, _money(number * Decimal(price))) for name, number, price in DEMO_LINES
    )


def _without_totals(lines: tuple[MailLine, ...]) -> tuple[MailLine, ...]:
    return tuple(MailLine(line.name, line.quantity) for line in lines)


def _cancelled(cause: CancelCause, reason: str = "") -> Cancelled:
    return Cancelled(cause=cause, reason=reason, lines=_without_totals(_lines()), at=AT)


def _money(amount: Decimal | int) -> Money:
    return Money(Decimal(amount), settings.CURRENCY)
