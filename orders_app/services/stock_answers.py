"""The answers of the stock service about orders, and how one can contradict its order."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from orders_app.document import CancelCode, OrderDocument
from orders_app.models import StockContradiction
from orders_app.state_machine import OrderStatus, StockStatus

Kind = StockContradiction.Kind
Quantities = Mapping[str, int]
"""Pieces by product id."""


class MessageOrigin(Struct, frozen=True):
    """The message that brought an answer: its id, the id of the command that it answers, and its trace."""

    message_id: str = ""
    cause: str = ""
    trace_parent: str = ""


class StockReserved(Struct, frozen=True):
    """These quantities are reserved for the order."""

    order_id: str
    quantities: Quantities
    origin: MessageOrigin = MessageOrigin()


class StockShortage(Struct, frozen=True):
    """Why one product could not be reserved; `code` as in `inventory.rejected`."""

    product_id: str
    code: str
    requested: int
    available: int


class StockRejected(Struct, frozen=True):
    """Nothing is reserved for the order, for these reasons."""

    order_id: str
    shortages: Sequence[StockShortage]
    origin: MessageOrigin = MessageOrigin()


class StockReleased(Struct, frozen=True):
    """The order holds no stock any more; these quantities were given back, or none."""

    order_id: str
    quantities: Quantities
    origin: MessageOrigin = MessageOrigin()


StockAnswer = StockReserved | StockRejected | StockReleased


def find_contradiction(answer: StockAnswer, order: OrderDocument) -> Kind | None:
    """How the answer contradicts what the order asked for and was told before; None where it does not."""
    match answer:
        case StockReserved():
            return _contradiction_of_reserved(answer, order)
        case StockRejected():
            return _contradiction_of_rejected(answer, order)
        case StockReleased():
            return _contradiction_of_released(answer, order)


def _contradiction_of_reserved(answer: StockReserved, order: OrderDocument) -> Kind | None:
    if answer.quantities != _requested(order):
        return Kind.RESERVED_OTHERWISE
    if order.stock_status == StockStatus.REJECTED:
        return Kind.RESERVED_AFTER_REJECTED
    # Of a cancelled order a late answer may come after the release.
    is_live = order.status != OrderStatus.CANCELLED
    return Kind.RESERVED_AFTER_RELEASED if is_live and order.stock_status == StockStatus.RELEASED else None


def _contradiction_of_rejected(answer: StockRejected, order: OrderDocument) -> Kind | None:
    if not _are_possible(answer.shortages, _requested(order)):
        return Kind.REJECTED_OTHERWISE
    return Kind.REJECTED_AFTER_RESERVED if order.stock_status == StockStatus.RESERVED else None


def _contradiction_of_released(answer: StockReleased, order: OrderDocument) -> Kind | None:
    """An order whose release came before its reserve, or that was rejected, gives nothing back."""
    held = _requested(order) if order.stock_status != StockStatus.REJECTED else {}
    if answer.quantities and answer.quantities != held:
        return Kind.RELEASED_OTHERWISE
    is_live = order.status != OrderStatus.CANCELLED
    return Kind.RELEASED_WHILE_LIVE if is_live and order.stock_status != StockStatus.RELEASED else None


def _requested(order: OrderDocument) -> Quantities:
    return {line.product_id: line.quantity for line in order.items}


def _are_possible(shortages: Iterable[StockShortage], requested: Quantities) -> bool:
    """Whether these are shortages of the order's own lines, each of another product."""
    products = [shortage.product_id for shortage in shortages]
    return len(set(products)) == len(products) and all(
        requested.get(shortage.product_id) == shortage.requested
        and (shortage.code != CancelCode.INSUFFICIENT_STOCK or shortage.available < shortage.requested)
        for shortage in shortages
    )
