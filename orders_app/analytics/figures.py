"""The figures that analytics gives, in the form of the API.

All figures are about the orders that were placed in a period, and say what has become of them until now.
Amounts are in one currency and have its decimals. Rates and shares are from 0 to 1; of nothing they are 0.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct, field

from orders_app.state_machine import OrderStatus, PaymentMethod

Share = Annotated[float, Meta(ge=0, le=1)]


class Asked(Struct, frozen=True, kw_only=True):
    """What the figures are about, in full: the period from `from` (included) to `to` (not included).

    `currency` is null where the orders of all currencies are counted.
    """

    start: datetime = field(name="from")
    end: datetime = field(name="to")
    tz: str
    currency: str | None


class OrdersByStatus(Struct, frozen=True, rename="camel"):
    """How many orders have this status now."""

    status: OrderStatus
    label: str
    orders: int


class OrdersByPaymentMethod(Struct, frozen=True, rename="camel"):
    """How many orders are to be paid in this way, and their revenue."""

    payment_method: PaymentMethod
    label: str
    orders: int
    revenue: Decimal


class OrdersByCurrency(Struct, frozen=True, rename="camel"):
    """How many orders were placed in this currency, and their revenue in it."""

    currency: str
    orders: int
    revenue: Decimal


class Summary(Asked, frozen=True, kw_only=True, rename="camel"):
    """The figures of a period at one look.

    `revenue` is what was taken for the `paidOrders` (paid or delivered), less what was refunded.
    `averageOrderValue` is `revenue` divided by `paidOrders`. `customers` are those who placed the orders,
    `repeatCustomers` those of them who placed more than one. `rejected` orders could not get their stock.
    They are `cancelled` too. `byCurrency` has all currencies, whichever was asked for.

    All that happened before `asOf` is in the figures, which are `lagSeconds` old; null before the worker has
    run for the first time.
    """

    orders: int
    paid_orders: int
    revenue: Decimal
    average_order_value: Decimal
    pieces: int
    customers: int
    repeat_customers: int
    cancelled: int
    rejected: int
    rejection_rate: Share
    cancel_rate: Share
    by_status: list[OrdersByStatus]
    by_payment_method: list[OrdersByPaymentMethod]
    by_currency: list[OrdersByCurrency]
    as_of: datetime | None
    lag_seconds: float | None


class BucketFigures(Struct, frozen=True, rename="camel"):
    """The figures of the orders that were placed in a bucket; it ends where the next one starts."""

    start: datetime
    orders: int
    revenue: Decimal
    pieces: int
    cancelled: int
    rejected: int


class ProductFigures(Struct, frozen=True, rename="camel"):
    """The figures of a product, by its name and category in the last order that has it.

    `orders` have it, `rejected` of them could not get it. `revenue` is the product's part of theirs: a refund
    is spread over the lines of its order by their amounts.
    """

    product_id: str
    product_name: str
    category: str | None
    orders: int
    pieces: int
    revenue: Decimal
    rejected: int


class FunnelStage(Struct, frozen=True, rename="camel"):
    """How many of the orders came so far, and their share in all."""

    stage: str
    orders: int
    share: Share


class StageLatency(Struct, frozen=True, rename="camel"):
    """How many seconds orders took from one stage to another: the median and the 95th and 99th percentile.

    They are exact, computed from each of the `count` orders that came so far; null where none did.
    """

    stage: str
    count: int
    p50: float | None
    p95: float | None
    p99: float | None


class Confirmations(Struct, frozen=True):
    """How many of the orders that were placed in a bucket were confirmed, and after how many seconds.

    `p50` and `p95` are the exact percentiles; null where none was.
    """

    start: datetime
    count: int
    p50: float | None
    p95: float | None


class CancelReasonFigures(Struct, frozen=True, rename="camel"):
    """How many orders were cancelled for this reason."""

    code: str
    orders: int


class Timeseries(Asked, frozen=True, kw_only=True):
    """The figures by bucket, the empty ones included."""

    results: list[BucketFigures]


class ProductsPage(Asked, frozen=True, kw_only=True):
    """A page of the products that were ordered."""

    count: int
    next: str | None
    previous: str | None
    results: list[ProductFigures]


class Funnel(Asked, frozen=True, kw_only=True):
    """How far the orders came."""

    results: list[FunnelStage]


class Latency(Asked, frozen=True, kw_only=True):
    """How long the orders took."""

    results: list[StageLatency]


class CancelReasons(Asked, frozen=True, kw_only=True):
    """Why orders were cancelled, the most frequent reason first."""

    results: list[CancelReasonFigures]
