"""A new order at the catalogue's prices, before it is written."""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec
from django.conf import settings
from django.utils import timezone
from uuid6 import uuid7

from foundation.currencies import largest_amount
from orders_app.document import NUMBER_PREFIX, CataloguedLine, OrderDocument, OrderLine
from orders_app.exceptions import (
    EmptyOrder,
    InactiveProducts,
    OrderTooLarge,
    PriceChanged,
    TokenNotAccepted,
    UnknownProducts,
)
from orders_app.money import from_minor_units
from orders_app.services.payment_gateway import require_payment_gateway
from orders_app.services.place_order.request import ItemRequest, PlacementRequest
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus
from products_app.selectors import OrderableProduct

MAX_PRODUCTS = 1_000
MAX_PIECES = 1_000_000
TOTAL_DIGITS = 12
"""How many digits a total may have before the point."""
CROCKFORD_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_order(request: PlacementRequest, products: Mapping[str, OrderableProduct]) -> OrderDocument:
    """The order at its first version, its lines with the categories of their products.

    `products` are those of the catalogue that the request names, by the id as it is written there. Raises
    EmptyOrder, UnknownProducts, InactiveProducts, OrderTooLarge, PriceChanged, TokenNotAccepted or
    PaymentsUnavailable.
    """
    if request.payment_token:
        _require_payable_by_token(request)
    now = timezone.now()
    lines = _price_lines(request.items, products)
    total = _total_of(lines)
    if request.expected_total not in (None, total):
        raise PriceChanged(total, settings.CURRENCY)
    return OrderDocument(
        id=uuid7(),
        order_number=new_order_number(),
        user_id=str(request.user_id),
        items=lines,
        total_amount=total,
        currency=settings.CURRENCY,
        status=OrderStatus.PENDING,
        status_label=OrderStatus.PENDING.label,
        stock_status=StockStatus.PENDING,
        payment_status=PaymentStatus.PENDING,
        payment_method=request.payment_method,
        shipping_address=request.shipping_address,
        tracking_number=None,
        cancel_reason=None,
        created_at=now,
        updated_at=now,
        shipped_at=None,
        delivered_at=None,
        cancelled_at=None,
        version=1,
        payment_attempts=1 if request.payment_token and total else 0,
        refunded_amount=total * 0,
        refund_requested_amount=total * 0,
    )


def as_shown(order: OrderDocument) -> OrderDocument:
    """The new order as the API shows it: its lines without the categories, which are for the messages."""
    lines = tuple(
        OrderLine(line.product_id, line.product_name, line.quantity, line.price) for line in order.items
    )
    return msgspec.structs.replace(order, items=lines)


def with_new_number(order: OrderDocument) -> OrderDocument:
    """The same order with another number."""
    return msgspec.structs.replace(order, order_number=new_order_number())


def new_order_number() -> str:
    """A random number that people can read out, such as SB-7K3M-Q9ZT: 40 bits, without I, L, O and U."""
    bits = secrets.randbits(40)
    digits = "".join(CROCKFORD_BASE32[bits >> shift & 31] for shift in range(0, 40, 5))
    return f"{NUMBER_PREFIX}{digits[:4]}-{digits[4:]}"


def _require_payable_by_token(request: PlacementRequest) -> None:
    if request.payment_method == PaymentMethod.CASH_ON_DELIVERY:
        raise TokenNotAccepted
    require_payment_gateway()


def _price_lines(
    items: Sequence[ItemRequest], products: Mapping[str, OrderableProduct]
) -> tuple[CataloguedLine, ...]:
    """The lines of the order, one for each product, in the order of the request."""
    if not items:
        raise EmptyOrder
    if unknown := sorted({item.product_id for item in items} - products.keys()):
        raise UnknownProducts(unknown)
    quantities: Counter[OrderableProduct] = Counter()
    for item in items:
        quantities[products[item.product_id]] += item.quantity
    if inactive := {product.product_id: product.name for product in quantities if not product.is_active}:
        raise InactiveProducts(list(inactive), list(inactive.values()))
    _check_size(quantities)
    return tuple(
        CataloguedLine(product.product_id, product.name, quantity, product.price, product.category)
        for product, quantity in quantities.items()
    )


def _total_of(lines: Sequence[OrderLine]) -> Decimal:
    currency = settings.CURRENCY
    highest = largest_amount(currency, TOTAL_DIGITS)
    total = sum((line.price * line.quantity for line in lines), from_minor_units(0, currency))
    if total > highest:
        raise OrderTooLarge(f"{currency} in total", int(highest))
    return total


def _check_size(quantities: Counter[OrderableProduct]) -> None:
    if len(quantities) > MAX_PRODUCTS:
        raise OrderTooLarge("different products", MAX_PRODUCTS)
    if max(quantities.values()) > MAX_PIECES:
        raise OrderTooLarge("pieces of one product", MAX_PIECES)
