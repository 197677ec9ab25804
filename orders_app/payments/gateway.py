"""What the payment service needs of a gateway: one small interface, with amounts in minor units."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from msgspec import Struct

from foundation.outage import DependencyUnavailable, NotNow
from orders_app.document import PaymentFailure

GATEWAY = "the payment gateway"


class GatewayUnavailable(DependencyUnavailable):
    """The gateway answers nobody, or refuses our key: nothing is known, and everything can be asked again."""

    def __init__(self, detail: str) -> None:
        super().__init__(GATEWAY, detail)


class AnswerMissing(NotNow):
    """The gateway has not answered this one request: it may have had its effect, and can be asked again."""


class RefundRefused(Exception):
    """The gateway will not give this money back; the failure's words are for staff."""

    def __init__(self, failure: PaymentFailure) -> None:
        super().__init__(f"{failure.code}: {failure.detail}")
        self.failure = failure


class PaymentState(StrEnum):
    """What a payment at the gateway is."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PROCESSING = "processing"


class Charge(Struct, frozen=True):
    """One attempt to pay an order, which was asked for first at `sent_at`.

    It is asked for again with the same `key` and the same content.
    """

    order_id: str
    order_number: str
    attempt: int
    amount: int
    currency: str
    token: str
    sent_at: datetime

    @property
    def key(self) -> str:
        """The idempotency key."""
        return f"{self.order_id}:payment:{self.attempt}"

    def __repr__(self) -> str:
        """Without the token."""
        return f"Charge({self.key}, {self.amount} {self.currency})"


class GatewayPayment(Struct, frozen=True, kw_only=True):
    """A payment as it is at the gateway. `order_id` and `attempt` are those that its metadata names."""

    id: str
    state: PaymentState
    amount: int
    currency: str
    order_id: str
    attempt: str
    created_at: datetime
    failure: PaymentFailure | None = None


class RefundOrder(Struct, frozen=True, kw_only=True):
    """Money to be given back, asked for first at `sent_at` or later.

    It is asked for again with the same `key` and the same content. `number` identifies it within its payment.
    """

    key: str
    payment_id: str
    amount: int
    currency: str
    order_id: str
    order_number: str
    number: str
    sent_at: datetime


class GatewayRefund(Struct, frozen=True, kw_only=True):
    """A refund as it is at the gateway; `has_failed`: the money is still, or again, with the shop."""

    id: str
    payment_id: str
    amount: int
    currency: str
    number: str
    has_failed: bool


class Gateway(Protocol):
    """A payment gateway; many threads may use it. Each call raises GatewayUnavailable or AnswerMissing."""

    def charge(self, charge: Charge) -> GatewayPayment:
        """Take the money; for a charge that was asked for before, what became of it."""

    def payment(self, payment_id: str) -> GatewayPayment | None:
        """One payment; None where the gateway has none with this id."""

    def refund(self, refund: RefundOrder) -> GatewayRefund:
        """Give the money back; for a refund that was asked for before, that one. Raises RefundRefused."""

    def payments(self) -> Iterator[GatewayPayment]:
        """All payments, the latest first."""

    def refunds(self, payment_id: str = "") -> Iterator[GatewayRefund]:
        """All refunds, or those of one payment, the latest first."""

    def ping(self) -> None:
        """Ask for something that needs no payment."""


@cache
def gateway() -> Gateway:
    """The gateway of this installation."""
    # Found by its name, so that processes that ask no gateway do not load its library.
    made: Gateway = import_string("orders_app.payments.stripe_gateway.StripeGateway")(
        key=settings.STRIPE_SECRET_KEY, address=settings.STRIPE_API_BASE
    )
    return made
