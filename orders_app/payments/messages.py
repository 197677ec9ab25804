"""The messages that the payment service sends over Kafka (docs/asyncapi.yaml): its answers to the orders.

On the wire a message is JSON with camelCase names; readers ignore unknown fields.
"""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from orders_app.messages import MinorUnits, Number, OrderId

GatewayId = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$(?!\n)")]


class PaymentSucceeded(Struct, frozen=True, rename="camel"):
    """This attempt to pay the order succeeded, as this payment at the gateway."""

    order_id: OrderId
    user_id: str
    order_number: str
    amount: MinorUnits
    currency: str
    attempt: Number
    payment_id: GatewayId
    timestamp: datetime


class PaymentFailed(Struct, frozen=True, rename="camel", omit_defaults=True):
    """This attempt to pay the order failed; `detail` is a sentence for the customer."""

    order_id: OrderId
    user_id: str
    order_number: str
    amount: MinorUnits
    currency: str
    attempt: Number
    code: str
    detail: str
    timestamp: datetime
    payment_id: GatewayId | UnsetType = UNSET


class PaymentRefunded(Struct, frozen=True, rename="camel"):
    """The amount went back, as this refund at the gateway; `refund` is the number of the request."""

    order_id: OrderId
    user_id: str
    order_number: str
    amount: MinorUnits
    currency: str
    attempt: Number
    payment_id: GatewayId
    refund_id: GatewayId
    refund: Number
    reason: str
    timestamp: datetime


PaymentMessage = PaymentSucceeded | PaymentFailed | PaymentRefunded
"""The value of any message that the payment service sends."""

TOPICS: dict[type[Struct], str] = {
    PaymentSucceeded: "payment.succeeded",
    PaymentFailed: "payment.failed",
    PaymentRefunded: "payment.refunded",
}
