"""The tasks of each group of staff: how many there are, since when, and the list that shows them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple
from urllib.parse import urlencode

import structlog
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from foundation.lasting_trouble import LastingTrouble
from kafka_workers.models import LastAudit
from kafka_workers.pages.health import Health, find_health
from orders_app.board_figures import Wait, count_waiting
from orders_app.models import LastPaymentAudit, StockContradiction
from products_app.exceptions import CatalogueUnavailable
from products_app.selectors import ProductCriteria, find_products
from web.bounded_count import bounded_count

May = Callable[[str], bool]
"""Whether the user has a permission, `app.codename`."""
FindHealth = Callable[[], Health]

_uncounted = LastingTrouble(
    structlog.get_logger(__name__),
    begins="products for the start page cannot be counted",
    ends="products for the start page can be counted again",
)


class Task(NamedTuple):
    """A kind of thing that waits for staff: how many there are, and the address of their list.

    `number` is None while it is not known. `is_urgent`: there should be none, so a number above 0 is red.
    """

    label: Promise
    url: str
    number: int | None
    is_exact: bool = True
    oldest: datetime | None = None
    is_urgent: bool = False


class TaskGroup(NamedTuple):
    """The tasks of the people of one kind of work."""

    title: Promise
    tasks: Sequence[Task]


ORDERS = {
    Wait.SHIP: _("Orders to ship"),
    Wait.DELIVERY: _("On their way to the customer"),
    Wait.FAILED: _("Payments that failed"),
    Wait.PAYMENT: _("Orders not paid yet"),
    Wait.STOCK: _("Orders that wait for their stock"),
}


def find_tasks(may: May) -> Iterator[TaskGroup]:
    """The tasks of those lists that the user may open. Raises the errors of PostgreSQL."""
    orders = _orders() if may("orders_app.view_order") else {}
    stock = _stock() if may("products_app.view_product") else []
    health = cache(find_health)
    groups = (
        TaskGroup(_("Warehouse"), [*_of(orders, Wait.SHIP, Wait.DELIVERY), *stock]),
        TaskGroup(_("Support"), _of(orders, Wait.FAILED, Wait.PAYMENT, Wait.STOCK)),
        TaskGroup(_("Finance"), [*_refunds(may), *_gateway(may, health)]),
        TaskGroup(_("Administration"), list(_system(may, health))),
    )
    yield from (group for group in groups if group.tasks)


def _of(tasks: Mapping[Wait, Task], *wanted: Wait) -> list[Task]:
    return [tasks[each] for each in wanted if each in tasks]


def _orders() -> dict[Wait, Task]:
    found = count_waiting(ORDERS)
    return {
        each.wait: Task(
            ORDERS[each.wait],
            _list("orders_app_order", waiting=each.wait),
            each.count,
            each.is_exact,
            each.oldest,
            is_urgent=each.wait is Wait.FAILED,
        )
        for each in found
    }


def _stock() -> list[Task]:
    low, sold_out = _products(low_stock=True), _products(in_stock=False, is_active=True)
    return [
        Task(_("Products low in stock"), _list("products_app_product", stock="low"), *low, is_urgent=True),
        Task(_("Products sold out"), _list("products_app_product", stock="out", sale="yes"), *sold_out),
    ]


def _products(**criteria: bool) -> tuple[int | None, bool]:
    """How many products are so, and whether no more are; None while MongoDB cannot be asked."""
    wanted: ProductCriteria = {**criteria}  # type: ignore[typeddict-item]  # its names are given above
    try:
        found = bounded_count(find_products(include_inactive=True, **wanted))
    except CatalogueUnavailable as error:
        _uncounted.meet(error=str(error))
        return None, True
    _uncounted.end()
    return found


def _refunds(may: May) -> Iterator[Task]:
    if may("orders_app.view_refund"):
        [waiting] = count_waiting([Wait.REFUND])
        page = _list("orders_app_refund", state__exact="requested")
        yield Task(_("Refunds on their way"), page, waiting.count, waiting.is_exact, waiting.oldest)


def _gateway(may: May, find: FindHealth) -> Iterator[Task]:
    if not may("orders_app.view_gatewayevent"):
        return
    page = _list("orders_app_gatewayevent")
    events = find().gateway_events
    yield Task(_("Disputes and other news of the gateway"), page, events, is_urgent=True)
    last = LastPaymentAudit.objects.first()
    if last and last.differences:
        label = _("Differences to the books of the gateway, at the last audit")
        yield Task(label, page, last.differences, oldest=last.audited_at, is_urgent=True)


def _system(may: May, find: FindHealth) -> Iterator[Task]:
    if not may("kafka_workers.view_deadletterrecord"):
        return
    health = find()
    letters = _list("kafka_workers_deadletterrecord")
    yield Task(_("Dead letters"), letters, health.dead_letters, is_urgent=True)
    parked = _list("kafka_workers_parkedevent")
    yield Task(_("Parked events"), parked, health.parked_events, is_urgent=True)
    left = StockContradiction.objects.filter(outcome=StockContradiction.Outcome.FOR_PEOPLE).count()
    page = _list("orders_app_stockcontradiction", outcome__exact="for_people")
    yield Task(_("Contradictions of the stock that are left to people"), page, left)
    audit = LastAudit.objects.first()
    drift = audit.drift_pieces if audit else None
    yield Task(_("Drift of the stock, in pieces"), reverse("staff:proof"), drift, is_urgent=True)
    if health.workers is not None:
        yield Task(_("Workers that do not work"), reverse("staff:board"), len(health.workers), is_urgent=True)


def _list(name: str, **query: str) -> str:
    address = reverse(f"admin:{name}_changelist")
    return f"{address}?{urlencode(query)}" if query else address
