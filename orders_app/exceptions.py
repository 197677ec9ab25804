"""The refusals about orders, each with the facts and its own sentence, and two programming errors."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from foundation.refusals import Kind, Refusal
from orders_app.state_machine import TRANSITIONS, OrderStatus


class OrderError(Refusal):
    """The base of all refusals that are about an order."""


class OrderNotFound(OrderError):
    """There is no such order."""

    kind = Kind.NOT_FOUND
    code = "not_found"

    def __init__(self, order_id: UUID) -> None:
        self.order_id = order_id
        super().__init__(f"There is no order {order_id}.")


class VersionNotFound(OrderError):
    """The order has no such version, or was deleted by then, or was not placed yet."""

    kind = Kind.NOT_FOUND
    code = "not_found"

    def __init__(self, order_id: UUID, asked: str) -> None:
        self.order_id = order_id
        super().__init__(f"There is no order {order_id} {asked}.")


class VersionNotReadable(OrderError):
    """The order was of this version, but its events up to then cannot be read."""

    kind = Kind.UNPROCESSABLE
    code = "version_not_readable"

    def __init__(self, order_id: UUID, version: int) -> None:
        self.order_id = order_id
        self.version = version
        super().__init__(f"The events of order {order_id} up to version {version} cannot be read.")


class OrderNotPlaceable(OrderError):
    """The base of refusals to place an order."""

    kind = Kind.INVALID


class EmptyOrder(OrderNotPlaceable):
    """The request has no items."""

    code = "empty_order"

    def __init__(self) -> None:
        super().__init__("An order needs at least one item.")


class OrderTooLarge(OrderNotPlaceable):
    """The order exceeds a limit; `what` names the limit, as in "pieces of one product"."""

    code = "order_too_large"

    def __init__(self, what: str, limit: int) -> None:
        self.what = what
        self.limit = limit
        super().__init__(f"An order has at most {limit} {what}.")


class UnknownProducts(OrderNotPlaceable):
    """The catalogue has no such products."""

    code = "product_not_found"

    def __init__(self, product_ids: Sequence[str]) -> None:
        self.product_ids = tuple(product_ids)
        super().__init__(f"Not in the catalogue: {', '.join(product_ids)}.")


class InactiveProducts(OrderNotPlaceable):
    """These products are not for sale at present; `names` in the order of `product_ids`."""

    code = "product_inactive"

    def __init__(self, product_ids: Sequence[str], names: Sequence[str]) -> None:
        self.product_ids = tuple(product_ids)
        self.names = tuple(names)
        super().__init__(f"Not sold at present: {', '.join(names)}.")


class PriceChanged(OrderNotPlaceable):
    """The order would cost another sum than the customer was shown."""

    code = "price_changed"
    kind = Kind.CONFLICT

    def __init__(self, total: Decimal, currency: str) -> None:
        self.total = total
        super().__init__(f"The order costs {total} {currency} now.")


class TokenNotAccepted(OrderNotPlaceable):
    """A token was sent for an order that is paid on delivery."""

    code = "payment_token_not_accepted"

    def __init__(self) -> None:
        super().__init__("An order that is paid on delivery takes no payment token.")


class CustomerNotFound(OrderError):
    """The user was deleted, but has an access token that is still valid."""

    kind = Kind.UNAUTHENTICATED
    code = "customer_not_found"

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        super().__init__(f"There is no user {user_id}.")


class IdempotencyKeyReused(OrderError):
    """This idempotency key was sent before with another body; `for_another` is what that body asked for."""

    kind = Kind.UNPROCESSABLE
    code = "idempotency_key_reused"

    def __init__(self, idempotency_key: str, for_another: str = "order") -> None:
        self.idempotency_key = idempotency_key
        super().__init__(f"The idempotency key {idempotency_key!r} was used for another {for_another}.")


class NotAllowedNow(OrderError):
    """The base of refusals because of the order's current state."""

    kind = Kind.CONFLICT


class TransitionNotAllowed(NotAllowedNow):
    """There is no transition from `current` to `wanted`; there are transitions to `allowed`."""

    code = "transition_not_allowed"

    def __init__(self, current: OrderStatus, wanted: OrderStatus) -> None:
        self.current = current
        self.wanted = wanted
        self.allowed = TRANSITIONS[current]
        choices = " or ".join(f"{status.label} ({status.value})" for status in self.allowed)
        super().__init__(
            f"An order that is {current.label} cannot become {wanted.label}; "
            + (f"it can become {choices}." if choices else "that is final.")
        )

    @property
    def facts(self) -> Mapping[str, Any]:
        """The transitions that are allowed."""
        return {"allowedTransitions": list(self.allowed)}


class ChecksPending(NotAllowedNow):
    """The base of refusals to let an order go on without its stock or its payment."""

    sentence: ClassVar[str]

    def __init__(self, wanted: OrderStatus) -> None:
        self.wanted = wanted
        super().__init__(
            f"{self.sentence}, so the order cannot become {wanted.label}. Staff with the permission "
            "override_checks can let it go on, with a reason."
        )


class StockPending(ChecksPending):
    """The order's stock is not reserved."""

    code = "stock_pending"
    sentence = "The stock of the order is not reserved"


class PaymentPending(ChecksPending):
    """The order has to be paid first, and is not."""

    code = "payment_pending"
    sentence = "The order is not paid"


class OrderNotEditable(NotAllowedNow):
    """The field cannot be changed in this status; `field` is its name in the API."""

    code = "order_not_editable"

    def __init__(self, field: str, status: OrderStatus) -> None:
        self.field = field
        self.status = status
        super().__init__(f"The {field} of an order that is {status.label} cannot be changed.")


class OrderNotPayable(NotAllowedNow):
    """The order does not wait for a payment."""

    code = "order_not_payable"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The order cannot be paid: {reason}.")


class PaymentUnderWay(NotAllowedNow):
    """A token waits to be charged for the order, or is being charged."""

    code = "payment_under_way"

    def __init__(self) -> None:
        super().__init__("A payment of the order is under way: wait for its end.")


class PaymentsUnavailable(NotAllowedNow):
    """This installation has no payment gateway."""

    code = "payments_unavailable"

    def __init__(self) -> None:
        super().__init__("This shop takes no payments by token: no payment gateway is configured.")


class OrderNotRefundable(NotAllowedNow):
    """There is no payment of which money can be given back."""

    code = "order_not_refundable"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"No money can be given back: {reason}.")


class RefundTooLarge(NotAllowedNow):
    """More would be given back than is left of the payment."""

    code = "refund_too_large"

    def __init__(self, refundable: Decimal, currency: str) -> None:
        self.refundable = refundable
        super().__init__(f"At most {refundable} {currency} of the payment can still be given back.")

    @property
    def facts(self) -> Mapping[str, Any]:
        """What can still be given back."""
        return {"refundableAmount": str(self.refundable)}


class AmountNotPossible(OrderError):
    """No such amount can be given back in this currency."""

    kind = Kind.INVALID
    code = "amount_not_possible"

    def __init__(self, amount: Decimal, currency: str) -> None:
        self.amount = amount
        super().__init__(f"{amount} is no amount of {currency} that can be given back.")


class OrderNotDeletable(OrderError):
    """The order has no final status, or money is under way or kept for it, so it cannot be deleted."""

    kind = Kind.UNPROCESSABLE
    code = "order_not_deletable"

    def __init__(self, status: OrderStatus, reason: str = "") -> None:
        self.status = status
        super().__init__(f"An order that is {status.label} cannot be deleted{reason and f' while {reason}'}.")


class WebhookRefused(Refusal):
    """A webhook that is not signed by the payment gateway, or cannot be read."""

    kind = Kind.INVALID
    code = "webhook_refused"


class LockedTooLate(RuntimeError):
    """A programming error: when orders were to be locked, there was no transaction or it had written."""


class BrokenHistory(RuntimeError):
    """The events are not a complete history of one order; `found` does not follow the event before it."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(
            f"An order's history is order.created and then every version in turn; {found} does not follow."
        )
