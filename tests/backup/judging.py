"""Whether a restored system is sound, as the audits and the gateway's books say."""

from collections import Counter
from collections.abc import Iterable

from devtools.driver.shop import CANCELLED, CREDIT_CARD, PAID, PROCESSING, eventually
from tests.backup.installation import Installation
from tests.backup.load import VISA, Known
from tests.backup.steps import steps_of

QUIET_SECONDS = 120
IN_FLIGHT = """
SELECT count(*) FROM orders_order WHERE stock_status = 'pending'
OR (payment_status = 1 AND payment_attempts > 0 AND status <> 5)
OR EXISTS (SELECT FROM payment_token WHERE order_id = orders_order.id)
OR EXISTS (SELECT FROM order_refund WHERE order_id = orders_order.id AND state = 'requested')
"""
MONEY = """
SELECT id::text,
    (total_amount * 100)::int * (paid_at IS NOT NULL)::int - (coalesce(refunded_amount, 0) * 100)::int
FROM orders_order
"""
UNLIKE_FIGURES = """
SELECT count(*) FROM orders_order LEFT JOIN analytics_order ON order_id = orders_order.id
WHERE analytics_order.status IS DISTINCT FROM orders_order.status OR placed_at IS NULL
"""


def assert_sound(installation: Installation, known: Iterable[Known]) -> None:
    """No order waits for ever, the audits find nothing, and the books agree with the orders.

    `known` are the orders that must be there.
    """
    repair, prove = steps_of("disaster.md", "Prove that all is well")
    await_quiet(installation)
    installation.run(repair)
    await_quiet(installation)
    installation.run(prove)
    assert_known(installation, known)
    assert_money_agrees(installation)
    assert_no_message_is_missing(installation)
    assert_new_orders_work(installation)


def await_quiet(installation: Installation) -> None:
    """Wait until no request or answer about stock or money is on its way."""
    eventually(
        lambda: installation.rows(IN_FLIGHT) == [(0,)], "an end of all that is under way", QUIET_SECONDS
    )


def assert_known(installation: Installation, known: Iterable[Known]) -> None:
    """Every order that a customer was told of is there, and cancelled where they were told so."""
    found = dict(installation.rows("SELECT id::text, status FROM orders_order"))
    lost = [each.order_id for each in known if each.order_id not in found]
    assert lost == []
    assert [each for each in known if each.cancelled and found[each.order_id] != CANCELLED] == []


def assert_money_agrees(installation: Installation) -> None:
    """The gateway keeps what an order has paid and not had back, of lost orders nothing; none paid twice."""
    expected = dict(installation.rows(MONEY))
    kept: Counter[str] = Counter()
    charges: Counter[tuple[str, str]] = Counter()
    for payment in installation.payments():
        kept[payment.order_id] += payment.kept
        charges[payment.order_id, payment.attempt] += payment.received > 0
    sums = {order: (kept[order], expected.get(order, 0)) for order in {*expected, *kept}}
    differing = {order: both for order, both in sums.items() if both[0] != both[1]}
    assert not differing, f"the gateway keeps, and the orders say: {differing}"
    assert [attempt for attempt, times in charges.items() if times > 1] == []


def assert_no_message_is_missing(installation: Installation) -> None:
    """The read models, which are made of messages alone, say of each order what its row says."""
    eventually(
        lambda: installation.rows(UNLIKE_FIGURES) == [(0,)],
        "figures that agree with the orders",
        QUIET_SECONDS,
    )


def assert_new_orders_work(installation: Installation) -> None:
    """An order is placed, reserved, paid and goes on."""
    with installation.shop() as shop:
        customer, product = shop.new_customer(), shop.new_product(5)
        order = customer.place((product, 2), payment_method=CREDIT_CARD, payment_token=VISA)
        assert customer.wait_for_status(order["id"], PROCESSING, 60)["paymentStatus"] == PAID
        shop.wait_for_stock(product, 3)
