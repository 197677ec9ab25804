"""Orders for tests: fixtures for an order placer and a catalogue, and steps that many tests share."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import msgspec
import pytest
from bson import Decimal128, ObjectId
from django.contrib.auth.models import User
from pymongo import MongoClient
from pymongo.collection import Collection

from orders_app import event_log, selectors
from orders_app.document import CancelCode, CancelReason, OrderDocument, ShippingAddress
from orders_app.event_data import EventType
from orders_app.event_log import LoggedEvent, Origin
from orders_app.models import Order, OrderItem
from orders_app.services.change_order import change_status
from orders_app.services.place_order import PLACEMENTS, ItemRequest, Placement, PlacementRequest
from orders_app.services.record_stock_answers import record_answers
from orders_app.services.stock_answers import (
    MessageOrigin,
    StockAnswer,
    StockRejected,
    StockReleased,
    StockReserved,
    StockShortage,
)
from orders_app.state_machine import OrderStatus, PaymentMethod, StockStatus
from tests.products_app.foreign_documents import document

T = TypeVar("T")

ADDRESS = ShippingAddress(
    street="1 Bridge St", city="Stockbridge", state="MA", zip_code="01262", country="US"
)
OTHER_ADDRESS = ShippingAddress(
    street="2 Bridge St", city="Stockbridge", state="MA", zip_code="01262", country="US"
)
TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
STAFF = Origin("staff:1", TRACE_PARENT)
STAFF_REQUEST = CancelReason(CancelCode.STAFF_REQUEST, "For a test.")
ORIGIN = MessageOrigin(trace_parent=TRACE_PARENT)


@dataclass
class Catalogue:
    """The products of a test."""

    products: Collection[dict[str, Any]]
    added: list[ObjectId] = field(default_factory=list)

    def add(self, name: str = "Lantern", price: str = "10.00", is_active: bool = True) -> str:
        """Adds a product; returns its id."""
        product = {"name": name, "price": Decimal128(price), "stock": 0, "isActive": is_active}
        self.added.append(self.products.insert_one(product).inserted_id)
        return str(self.added[-1])

    def plant(self, **fields: Any) -> str:
        """Adds a product as another program may, past the validator; returns its id."""
        planted = self.products.insert_one(document(fields), bypass_document_validation=True)
        self.added.append(planted.inserted_id)
        return str(planted.inserted_id)

    def retire(self, product_id: str) -> None:
        self.products.update_one({"_id": ObjectId(product_id)}, {"$set": {"isActive": False}})


@dataclass
class OrderPlacer:
    """Places the orders of one customer."""

    user_id: int
    catalogue: Catalogue

    @property
    def origin(self) -> Origin:
        return Origin(f"customer:{self.user_id}", TRACE_PARENT)

    def placement_request(
        self, *items: tuple[str, int], key: str = "", user_id: int | None = None
    ) -> PlacementRequest:
        """A request for (product id, quantity) pairs, for `place_orders`."""
        items_requested = [ItemRequest(product_id, quantity) for product_id, quantity in items]
        method = PaymentMethod.CASH_ON_DELIVERY
        return PlacementRequest(user_id or self.user_id, items_requested, ADDRESS, method, key, self.origin)

    def place_items(self, *items: tuple[str, int], key: str | None = None, **given: Any) -> Placement:
        """Places an order of (product id, quantity) pairs."""
        request = self.placement_request(*items, key=key or "")
        return PLACEMENTS.call(msgspec.structs.replace(request, **given))

    def place(
        self, payment_method: PaymentMethod = PaymentMethod.CASH_ON_DELIVERY, **given: Any
    ) -> OrderDocument:
        """Places an order of two lanterns."""
        return self.place_items((self.catalogue.add(), 2), payment_method=payment_method, **given).order

    def place_free(self, payment_method: PaymentMethod = PaymentMethod.CASH_ON_DELIVERY) -> OrderDocument:
        """Places an order of two lanterns that cost nothing."""
        return self.place_items((self.catalogue.add(price="0.00"), 2), payment_method=payment_method).order

    def place_reserved(self, **given: Any) -> OrderDocument:
        """Places an order whose stock is reserved at once."""
        order = self.place(**given)
        answer(reserved(order))
        return now(order)

    def place_and_move(self, *statuses: OrderStatus, **given: Any) -> OrderDocument:
        """Places an order that staff then take through these statuses, without its stock or payment."""
        order = self.place(**given)
        for status in statuses:
            order = move(order, status)
        return order


@pytest.fixture
def catalogue(mongodb: str) -> Iterator[Catalogue]:
    """The real catalogue; products that a test adds are deleted after it."""
    with MongoClient[dict[str, Any]](mongodb) as client:
        catalogue = Catalogue(client.get_default_database()["products"])
        yield catalogue
        catalogue.products.delete_many({"_id": {"$in": catalogue.added}})


@pytest.fixture
def placer(transactional_db: None, catalogue: Catalogue) -> OrderPlacer:
    """Places the orders of a new customer."""
    return OrderPlacer(User.objects.create_user(f"customer-{uuid4().hex[:8]}").pk, catalogue)


def answer(*answers: StockAnswer) -> None:
    """Records these answers of the stock service in one batch."""
    record_answers(answers=answers, origin_actor="service:stock")


def move(order: OrderDocument, status: OrderStatus) -> OrderDocument:
    """Moves an order, without its stock or payment if need be."""
    return change_status(order_id=order.id, new_status=status, origin=STAFF, override_reason="For a test.")


def lines_of(order: OrderDocument) -> dict[str, int]:
    """The quantities of an order by product id."""
    return {item.product_id: item.quantity for item in order.items}


def reserved(order: OrderDocument, origin: MessageOrigin = ORIGIN) -> StockReserved:
    """The answer that the order's lines are reserved."""
    return StockReserved(str(order.id), lines_of(order), origin)


def rejected(order: OrderDocument, available: int = 1, origin: MessageOrigin = ORIGIN) -> StockRejected:
    """The answer that of the order's first product too few are available."""
    item = order.items[0]
    shortage = StockShortage(item.product_id, "INSUFFICIENT_STOCK", item.quantity, available)
    return StockRejected(str(order.id), [shortage], origin)


def released(order: OrderDocument, origin: MessageOrigin = ORIGIN) -> StockReleased:
    """The answer that the order's lines were given back."""
    return StockReleased(str(order.id), lines_of(order), origin)


def now(order: OrderDocument) -> OrderDocument:
    """The order by its current row."""
    return selectors.get_document(order.id)


def state(order: OrderDocument) -> tuple[OrderStatus, StockStatus]:
    """The current status of the order and of its stock."""
    current = now(order)
    return current.status, current.stock_status


def events(order: OrderDocument) -> list[EventType]:
    """The types of the order's events, from its second version on."""
    return [event.type for event in event_log.history(order.id)[1:]]


def last_event(order: OrderDocument) -> LoggedEvent:
    return event_log.history(order.id)[-1]


def all_that_is_stored() -> tuple[Any, ...]:
    """Every row of orders, items and log, to check that a call changes nothing."""
    end = event_log.end_position()
    return end, list(Order.objects.order_by("id").values()), list(OrderItem.objects.order_by("id").values())
