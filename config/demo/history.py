"""Weeks of orders for the demo, which end now."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from django.contrib.auth.models import User
from django.utils import timezone

from config.demo.customers import Customer, ensure_customers
from config.demo.plan import Fate, PlannedOrder, days_until, dice_for, orders_of
from config.demo.stock import leave_little, products_for_sale, receive_for, set_low_stock
from config.demo.walk import People, Walked, walk
from config.demo.writing import rejection_of, write
from orders_app.document import OrderDocument
from orders_app.event_log import Origin
from orders_app.models import Order
from orders_app.services.place_order.new_order import new_order
from orders_app.services.place_order.request import ItemRequest, PlacementRequest
from orders_app.services.stock_answers import StockShortage
from products_app.documents.reading import Product
from products_app.selectors import OrderableProduct, find_products_to_order, get_product

_MORE_THAN_THERE_IS = 2

Tell = Callable[[str], None]


class Shop:
    """The customers and products of the demo's orders, and the member of staff who works on them."""

    def __init__(self, skus: Sequence[str], staff: User) -> None:
        self.customers: list[Customer] = ensure_customers()
        self.staff = f"staff:{staff.pk}"
        self.products: list[Product] = products_for_sale(skus)
        self.for_orders: dict[str, OrderableProduct] = find_products_to_order(
            [product.id for product in self.products]
        )

    def plans(self, days: Sequence[date], until: datetime) -> list[PlannedOrder]:
        """The orders of these days that were placed by then."""
        sizes = {"customers": len(self.customers), "products": len(self.products)}
        return [plan for day in days for plan in orders_of(day, **sizes) if plan.placed_at <= until]

    def people(self, plan: PlannedOrder) -> People:
        """The actors of this order."""
        return People(f"customer:{self.customers[plan.customer].user_id}", self.staff)

    def request(self, plan: PlannedOrder, quantity: int = 0) -> PlacementRequest:
        """The request that places this order; with a quantity, for so many pieces of its first product."""
        lines = [(self.products[index].id, pieces) for index, pieces in plan.products]
        customer = self.customers[plan.customer]
        return PlacementRequest(
            user_id=customer.user_id,
            items=[ItemRequest(*line) for line in ([(lines[0][0], quantity)] if quantity else lines)],
            shipping_address=customer.address,
            payment_method=plan.method,
            idempotency_key=plan.key,
            origin=Origin(self.people(plan).customer),
        )


def seed_history(shop: Shop, *, days: int, tell: Tell) -> int:
    """Write the orders of the last days, each as far as it would have come by now. Returns how many.

    Orders that are there from an earlier run stay as they are. Raises CatalogueUnavailable.
    """
    until = timezone.now()
    wanted = shop.plans(days_until(until, days), until)
    plans = _missing(wanted)
    set_low_stock(shop.products)
    receive_for(shop.products, _needed(shop, plans), actor=shop.staff)
    written = 0
    for number, plans_of_day in enumerate(_by_day(plans), start=1):
        written += write([_usual(shop, plan, until) for plan in plans_of_day if plan.fate != Fate.REJECTED])
        if number % 7 == 0:
            tell(f"{written:,} of {len(plans):,} orders, until {plans_of_day[-1].placed_at.date()}")
    leave_little(products_for_sale(product.sku for product in shop.products), actor=shop.staff)
    rejected = [_rejected(shop, plan, until) for plan in plans if plan.fate == Fate.REJECTED]
    return written + write([each for each in rejected if each])


def _missing(plans: Sequence[PlannedOrder]) -> list[PlannedOrder]:
    keys = [plan.key for plan in plans]
    there = set(Order.objects.filter(idempotency_key__in=keys).values_list("idempotency_key", flat=True))
    return [plan for plan in plans if plan.key not in there]


def _needed(shop: Shop, plans: Sequence[PlannedOrder]) -> Counter[str]:
    """How many pieces of each product these orders hold at some time."""
    needed: Counter[str] = Counter()
    for plan in plans:
        if plan.fate != Fate.REJECTED:
            needed.update({shop.products[index].id: quantity for index, quantity in plan.products})
    return needed


def _by_day(plans: Sequence[PlannedOrder]) -> Iterator[list[PlannedOrder]]:
    days: dict[date, list[PlannedOrder]] = {}
    for plan in plans:
        days.setdefault(plan.placed_at.date(), []).append(plan)
    yield from days.values()


def _usual(shop: Shop, plan: PlannedOrder, until: datetime) -> tuple[Walked, PlacementRequest]:
    request = shop.request(plan)
    return walk(_placed(request, plan, shop), plan, shop.people(plan), until=until), request


def _rejected(shop: Shop, plan: PlannedOrder, until: datetime) -> tuple[Walked, PlacementRequest] | None:
    """An order for more pieces than there are; None where they were there after all.

    The stock service rejects it before it is written: so the pieces that it misses are those it was told.
    """
    product = get_product(product_id=shop.products[plan.products[0][0]].id, include_inactive=True)
    rejection = rejection_of(_order_id(plan), product.id, product.stock + _MORE_THAN_THERE_IS)
    if rejection is None:
        return None
    # An earlier run that was killed may have asked for another number.
    request = shop.request(plan, quantity=rejection.failures[0].requested)
    placed = _placed(request, plan, shop)
    shortages = [
        StockShortage(each.product_id, each.code, each.requested, each.available)
        for each in rejection.failures
    ]
    return walk(placed, plan, shop.people(plan), until=until, shortages=shortages), request


def _placed(request: PlacementRequest, plan: PlannedOrder, shop: Shop) -> OrderDocument:
    """The order as it was placed at the time of the plan."""
    at = plan.placed_at
    return msgspec.structs.replace(
        new_order(request, shop.for_orders), id=_order_id(plan), created_at=at, updated_at=at
    )


def _order_id(plan: PlannedOrder) -> UUID:
    """The UUIDv7 of the order: of its time, and the same in each run."""
    milliseconds = int(plan.placed_at.timestamp() * 1000)
    dice = dice_for(f"id of {plan.key}")
    return UUID(
        int=milliseconds << 80 | 7 << 76 | dice.getrandbits(12) << 64 | 2 << 62 | dice.getrandbits(62)
    )
