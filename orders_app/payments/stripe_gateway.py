"""Stripe's API, through its own library: real Stripe, its mock, or the sandbox, by their address alone.

Of the texts of Stripe's errors only those about declines and refunds are used, which are meant for people:
others repeat parameters, the token among them.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
import stripe
import structlog
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random_exponential

from foundation.metrics import GATEWAY_REQUEST_SECONDS
from orders_app.document import PaymentFailure
from orders_app.payments.gateway import (
    AnswerMissing,
    Charge,
    GatewayPayment,
    GatewayRefund,
    GatewayUnavailable,
    PaymentState,
    RefundOrder,
    RefundRefused,
)
from orders_app.payments.http_client import HttpClient
from orders_app.payments.wire import StripeFailure, failure_of, payment_of, refund_of, to_stripe

ANSWER_SECONDS = 5.0
"""A payment that takes longer is asked for again later, so that it holds up no other."""
ASKING_SECONDS = 3
"""For how long a request is repeated at once that was lost, or that the gateway could not answer."""
KEYS_LAST = timedelta(hours=23)
"""Stripe forgets idempotency keys after 24 hours."""
CLOCKS_DIFFER = timedelta(minutes=5)
INVALID_METHOD = "This means of payment is not known or was used before. Please enter it again."
NOT_CHARGEABLE = "The payment could not be taken. Please pay by another means."
PAYMENTS, REFUNDS = "/v1/payment_intents", "/v1/refunds"
LOOK_UP = "look_up"
_OPERATIONS = {
    ("post", PAYMENTS): "charge",
    ("post", REFUNDS): "refund",
    ("get", PAYMENTS): "list",
    ("get", REFUNDS): "list",
}
"""The names of requests in the metric; that of one payment is LOOK_UP."""
_SECONDS = {name: GATEWAY_REQUEST_SECONDS.labels(name) for name in (*_OPERATIONS.values(), LOOK_UP)}
_PAGE = 100
_NOT_FOUND, _CONFLICT, _SERVER_ERROR = 404, 409, 500

# At lower levels the library logs the texts of errors.
logging.getLogger("stripe").setLevel(logging.WARNING)
stripe.enable_telemetry = False
log = structlog.get_logger(__name__)
T = TypeVar("T")


def _is_open(error: BaseException) -> bool:
    """Whether the gateway has not said what became of the request: it may have had its effect."""
    if isinstance(error, stripe.APIConnectionError | stripe.RateLimitError):
        return True
    status = error.http_status if isinstance(error, stripe.StripeError) else None
    return status is not None and (status == _CONFLICT or status >= _SERVER_ERROR)


def _may_pass(error: BaseException) -> bool:
    """Whether the same request may be answered a moment later."""
    return error.should_retry if isinstance(error, stripe.APIConnectionError) else _is_open(error)


_ask = retry(
    retry=retry_if_exception(_may_pass),
    wait=wait_random_exponential(multiplier=0.05, max=1),
    stop=stop_after_delay(ASKING_SECONDS),
    reraise=True,
)


class StripeGateway:
    """The gateway at an address, for one account: `orders_app.payments.gateway.Gateway`."""

    def __init__(self, *, key: str, address: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": address},
            max_network_retries=0,
            http_client=HttpClient(address, answer_seconds),
        )

    def charge(self, charge: Charge) -> GatewayPayment:
        """Take the money; for a charge that was asked for before, what became of it."""
        try:
            if _is_forgotten(charge.sent_at) and (found := self._find_charge(charge)):
                return found
            return self._create_payment(charge)
        except stripe.CardError as error:
            return _declined(error, charge)
        except stripe.IdempotencyError as error:
            # An earlier version of this program has asked for it in another form.
            return _found(self._find_charge(charge), error)
        except stripe.StripeError as error:
            _raise_if_open(error)
            return _not_chargeable(error, charge)

    def payment(self, payment_id: str) -> GatewayPayment | None:
        """One payment; None where the gateway has none with this id."""
        try:
            return payment_of(_ask(self._request)("get", f"{PAYMENTS}/{quote(payment_id, safe='')}"))
        except stripe.StripeError as error:
            if error.http_status == _NOT_FOUND:
                return None
            raise _missing(error) from None

    def refund(self, refund: RefundOrder) -> GatewayRefund:
        """Give the money back; for a refund that was asked for before, that one. Raises RefundRefused."""
        try:
            if _is_forgotten(refund.sent_at) and (found := self._find_refund(refund)):
                return found
            return self._create_refund(refund)
        except stripe.IdempotencyError as error:
            return _found(self._find_refund(refund), error)
        except stripe.StripeError as error:
            _raise_if_open(error)
            raise RefundRefused(
                PaymentFailure((error.code or "refused")[:40], error.user_message or "")
            ) from None

    def payments(self) -> Iterator[GatewayPayment]:
        """All payments, the latest first."""
        return self._pages(PAYMENTS, payment_of, {})

    def refunds(self, payment_id: str = "") -> Iterator[GatewayRefund]:
        """All refunds, or those of one payment, the latest first."""
        return self._pages(REFUNDS, refund_of, {"payment_intent": payment_id} if payment_id else {})

    def ping(self) -> None:
        """Ask for something that needs no payment. Raises GatewayUnavailable."""
        try:
            self._request("get", PAYMENTS, limit=1)
        except stripe.StripeError as error:
            unavailable = _missing(error)
            if isinstance(unavailable, AnswerMissing):
                unavailable = GatewayUnavailable(str(unavailable))
            raise unavailable from None

    @_ask
    def _create_payment(self, charge: Charge) -> GatewayPayment:
        made = self._request(
            "post",
            PAYMENTS,
            idempotency_key=charge.key,
            amount=to_stripe(charge.amount, charge.currency),
            currency=charge.currency.lower(),
            payment_method=charge.token,
            confirm=True,
            # The customer is not there to confirm anything.
            error_on_requires_action=True,
            automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
            metadata={
                "order_id": charge.order_id,
                "order_number": charge.order_number,
                "attempt": str(charge.attempt),
            },
        )
        return payment_of(made)

    @_ask
    def _create_refund(self, refund: RefundOrder) -> GatewayRefund:
        made = self._request(
            "post",
            REFUNDS,
            idempotency_key=refund.key,
            payment_intent=refund.payment_id,
            amount=to_stripe(refund.amount, refund.currency),
            metadata={
                "order_id": refund.order_id,
                "order_number": refund.order_number,
                "refund": refund.number,
            },
        )
        return refund_of(made)

    def _request(self, method: str, path: str, **params: Any) -> Any:
        """What Stripe answers, as plain data: the library's own objects cost a quarter of a call."""
        with _SECONDS[_OPERATIONS.get((method, path), LOOK_UP)].time():
            return self._client.raw_request(method, path, **params).data

    def _pages(self, path: str, read: Callable[[Any], T], query: dict[str, Any]) -> Iterator[T]:
        """All objects of a list, the latest first. Raises GatewayUnavailable or AnswerMissing."""
        after: dict[str, str] = {}
        has_more = True
        while has_more:
            try:
                page = _ask(self._request)("get", path, limit=_PAGE, **query, **after)
            except stripe.StripeError as error:
                raise _missing(error) from None
            yield from map(read, page["data"])
            has_more = page["has_more"]
            after = {"starting_after": page["data"][-1]["id"]} if page["data"] else {}

    def _find_charge(self, charge: Charge) -> GatewayPayment | None:
        """The payment that this charge has made earlier, by its metadata."""
        since = charge.sent_at - CLOCKS_DIFFER
        wanted = (charge.order_id, str(charge.attempt))
        for payment in self._pages(PAYMENTS, payment_of, {"created": {"gte": int(since.timestamp())}}):
            if payment.created_at < since:
                break
            if (payment.order_id, payment.attempt) == wanted:
                return payment
        return None

    def _find_refund(self, refund: RefundOrder) -> GatewayRefund | None:
        """The refund that was made for this order earlier, by its metadata."""
        return next((each for each in self.refunds(refund.payment_id) if each.number == refund.number), None)


def _found(earlier: T | None, error: stripe.StripeError) -> T:
    if earlier is None:
        raise _missing(error) from None
    return earlier


def _is_forgotten(sent_at: datetime) -> bool:
    """Whether the gateway may no longer know the key of what was asked for at this time."""
    return datetime.now(UTC) - sent_at > KEYS_LAST


def _declined(error: stripe.CardError, charge: Charge) -> GatewayPayment:
    """The payment in the answer of a decline."""
    body: Any = error.json_body
    answered = body["error"]
    failure = failure_of(msgspec.convert(answered, StripeFailure))
    if intent := answered.get("payment_intent"):
        return msgspec.structs.replace(payment_of(intent), state=PaymentState.FAILED, failure=failure)
    return _failed(charge, failure)


def _not_chargeable(error: stripe.StripeError, charge: Charge) -> GatewayPayment:
    """The gateway takes no such payment, however often it is asked."""
    param = getattr(error, "param", None)
    code = error.code or "invalid_request"
    is_of_customer = param == "payment_method"
    log.log(
        logging.INFO if is_of_customer else logging.ERROR,
        "the gateway refuses a charge",
        charge=charge.key,
        status=error.http_status,
        code=code,
        param=param,
    )
    detail = INVALID_METHOD if is_of_customer else NOT_CHARGEABLE
    return _failed(charge, PaymentFailure(code[:40], detail))


def _failed(charge: Charge, failure: PaymentFailure) -> GatewayPayment:
    """A charge of which the gateway made no payment."""
    return GatewayPayment(
        id="",
        state=PaymentState.FAILED,
        amount=charge.amount,
        currency=charge.currency,
        order_id=charge.order_id,
        attempt=str(charge.attempt),
        created_at=datetime.now(UTC),
        failure=failure,
    )


def _raise_if_open(error: stripe.StripeError) -> None:
    if _is_open(error) or isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        raise _missing(error) from None


def _missing(error: stripe.StripeError) -> Exception:
    """What an error means that says nothing about the payment."""
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return GatewayUnavailable("it refuses STRIPE_SECRET_KEY")
    return AnswerMissing(_kind_of(error))


def _kind_of(error: stripe.StripeError) -> str:
    """An error without its text."""
    if isinstance(error, stripe.APIConnectionError):
        return str(error.user_message)
    return f"{type(error).__name__} {error.http_status}"
