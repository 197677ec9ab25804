"""What is done about each event of the gateway, by what it tells."""

from collections.abc import Callable, Mapping

from django.db.models import QuerySet

from orders_app.document import PaymentFailure
from orders_app.event_log import Origin
from orders_app.models import GatewayEvent, Payment
from orders_app.payments.webhooks.known import what_is_known
from orders_app.payments.webhooks.notice import GatewayNotice, Subject
from orders_app.services.pay_order import is_look_up_due
from orders_app.services.record_payment_answers import record_refund_failure

Kind = GatewayEvent.Kind


def react(notice: GatewayNotice, origin: Origin) -> Kind | None:
    """Do what the event asks for, in the transaction of the caller, who has written nothing in it.

    The event is one of which not all is known. Returns as what it is remembered; None where it tells nothing
    new all the same.
    """
    return _REACTIONS[notice.subject](notice, origin)


def payments_of(notice: GatewayNotice) -> QuerySet[Payment]:
    """The ended attempts that are the payment of the event; none where it names no payment.

    Attempts of which the gateway made no payment have no id either.
    """
    return Payment.objects.filter(payment_id=notice.payment_id).exclude(payment_id="")


def _about_payment(notice: GatewayNotice, _origin: Origin) -> Kind | None:
    """Remembered as one to be looked up: what the payment is, and of which order, the gateway says then."""
    if _is_look_up_due(notice):
        return Kind.PAYMENT
    # The attempt may have ended meanwhile.
    is_taken = notice.subject == Subject.PAYMENT_TAKEN
    return Kind.UNKNOWN_PAYMENT if is_taken and not what_is_known(notice).end else None


def _is_look_up_due(notice: GatewayNotice) -> bool:
    """Whether the attempt that the metadata names was made, and has not ended so."""
    if notice.order_id is None or notice.attempt is None:
        return False
    is_taken = notice.subject == Subject.PAYMENT_TAKEN
    return is_look_up_due(order_id=notice.order_id, attempt=notice.attempt, succeeded=is_taken)


def _about_dispute(_notice: GatewayNotice, _origin: Origin) -> Kind:
    return Kind.DISPUTE


def _about_made_refund(notice: GatewayNotice, _origin: Origin) -> Kind | None:
    """A refund that an order asked for names the order; one of another's payment is no matter of ours."""
    return Kind.UNKNOWN_REFUND if notice.order_id is None and payments_of(notice).exists() else None


def _about_failed_refund(notice: GatewayNotice, origin: Origin) -> Kind | None:
    """Events of several types may tell of one refund: the first is kept."""
    told = GatewayEvent.objects.filter(payment_id=notice.payment_id, reference=notice.reference)
    if told.filter(kind=Kind.REFUND_FAILED).exists():
        return None
    if notice.order_id is not None and notice.refund is not None:
        record_refund_failure(
            order_id=notice.order_id,
            refund=notice.refund,
            failure=PaymentFailure(notice.code, notice.summary),
            refund_id=notice.reference,
            origin=origin,
        )
    return Kind.REFUND_FAILED


_REACTIONS: Mapping[Subject, Callable[[GatewayNotice, Origin], Kind | None]] = {
    Subject.PAYMENT_TAKEN: _about_payment,
    Subject.PAYMENT_ENDED: _about_payment,
    Subject.DISPUTE: _about_dispute,
    Subject.REFUND_MADE: _about_made_refund,
    Subject.REFUND_FAILED: _about_failed_refund,
}
