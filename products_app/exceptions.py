"""The refusals of the catalogue and the stock service, and the error of an unavailable MongoDB."""

from collections.abc import Mapping
from typing import Any

from foundation.refusals import Kind, Refusal, Unavailable


class CatalogueUnavailable(Unavailable):
    """MongoDB cannot be reached, has no primary, or did not answer in time; a later attempt may succeed."""

    code = "catalogue_unavailable"
    sentence = "The catalogue cannot be reached just now."


class ProductNotFound(Refusal):
    """The catalogue has no such product, or the caller may not see it."""

    kind = Kind.NOT_FOUND
    code = "not_found"

    def __init__(self, product_id: str) -> None:
        super().__init__(f"There is no product {product_id}.")
        self.product_id = product_id


class ProductUnreadable(Refusal):
    """The document of the product has fields that another program wrote and that cannot be read."""

    kind = Kind.CONFLICT
    code = "product_unreadable"

    def __init__(self, product_id: str, faults: Mapping[str, str]) -> None:
        self.product_id = product_id
        self.faults = faults
        self.reason = "; ".join(faults.values())
        super().__init__(f"Product {product_id} can be neither shown nor sold: {self.reason}.")


class ProductChanged(Refusal):
    """The product is no longer, or already, as the caller's condition says."""

    kind = Kind.PRECONDITION
    code = "product_changed"

    def __init__(self, product_id: str) -> None:
        super().__init__(
            f"Product {product_id} is not as the request expects it: read it again, and send its new ETag."
        )
        self.product_id = product_id


class ProductInactive(Refusal):
    """The product is not for sale."""

    kind = Kind.CONFLICT
    code = "product_inactive"

    def __init__(self, product_id: str) -> None:
        super().__init__(f"Product {product_id} is not for sale.")
        self.product_id = product_id


class InsufficientStock(Refusal):
    """The stock is lower than the requested quantity."""

    kind = Kind.CONFLICT
    code = "insufficient_stock"

    def __init__(self, product_id: str, *, requested: int, available: int) -> None:
        super().__init__(f"Of product {product_id}, {requested} were asked for and {available} can be sold.")
        self.product_id = product_id
        self.requested = requested
        self.available = available

    @property
    def facts(self) -> Mapping[str, Any]:
        """How many could be sold."""
        return {"availableStock": self.available}


class StockTooHigh(Refusal):
    """More pieces would be received of the product than its document can count."""

    kind = Kind.CONFLICT
    code = "stock_too_high"

    def __init__(self, product_id: str) -> None:
        super().__init__(f"More pieces of product {product_id} would be received than can be counted.")
        self.product_id = product_id


class IdempotencyKeyReused(Refusal):
    """The caller has sent this idempotency key before with another request about stock."""

    kind = Kind.UNPROCESSABLE
    code = "idempotency_key_reused"

    def __init__(self, idempotency_key: str) -> None:
        super().__init__(f"The idempotency key {idempotency_key!r} was used for another request about stock.")
        self.idempotency_key = idempotency_key


class QuantityConflict(Refusal):
    """The order has already reserved another quantity of the product."""

    kind = Kind.CONFLICT
    code = "quantity_conflict"

    def __init__(self, order_id: str, product_id: str, *, requested: int, reserved: int) -> None:
        super().__init__(
            f"Order {order_id} has reserved {reserved} of product {product_id}, not {requested}."
        )
        self.order_id = order_id
        self.product_id = product_id
        self.requested = requested
        self.reserved = reserved


class ReservedByAnother(Refusal):
    """A message, or another service key, has reserved the product for the order."""

    kind = Kind.CONFLICT
    code = "reserved_by_another"

    def __init__(self, order_id: str, product_id: str, *, by_message: bool) -> None:
        owner = "a message on Kafka" if by_message else "another service key"
        super().__init__(f"Product {product_id} was reserved for order {order_id} by {owner}.")
        self.order_id = order_id
        self.product_id = product_id
        self.by_message = by_message


class AlreadyReleased(Refusal):
    """The order, or its line of this product, has been released; that is final."""

    kind = Kind.CONFLICT
    code = "released"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"Order {order_id} has been released.")
        self.order_id = order_id


class AlreadyRejected(Refusal):
    """The order as a whole was rejected; that is final."""

    kind = Kind.CONFLICT
    code = "rejected"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"Order {order_id} has been rejected.")
        self.order_id = order_id


class ProductHeld(Refusal):
    """Orders hold pieces of the product, so it cannot be deleted."""

    kind = Kind.CONFLICT
    code = "product_held"

    def __init__(self, product_id: str) -> None:
        super().__init__(f"Orders hold pieces of product {product_id}; make it inactive instead.")
        self.product_id = product_id


class EntryUnreadable(Refusal):
    """The ledger entry of the order was changed by hand, so that it cannot be read."""

    kind = Kind.CONFLICT
    code = "ledger_entry_unreadable"

    def __init__(self, order_id: str, reason: str) -> None:
        super().__init__(f"The ledger entry of order {order_id} cannot be read: {reason}.")
        self.order_id = order_id


class SkuTaken(Refusal):
    """Another product has this stock keeping unit."""

    kind = Kind.CONFLICT
    code = "sku_taken"

    def __init__(self, sku: str) -> None:
        super().__init__(f"Another product has the SKU {sku}.")
        self.sku = sku


class RotatedBefore(Exception):
    """A service key has a successor that is valid, the one with this prefix."""

    def __init__(self, successor: str) -> None:
        super().__init__(
            f"This key was rotated before: {successor} follows it. If its secret is lost, rotate {successor}."
        )
