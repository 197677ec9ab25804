"""One idempotency key of a customer gives one order."""

import pytest
from django.contrib.auth.models import User

from orders_app.exceptions import IdempotencyKeyReused
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order
from tests.orders_app.ordering import OTHER_ADDRESS, Desk, all_that_is_stored

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_same_request_again_gives_the_same_order(desk: Desk) -> None:
    lantern = desk.catalogue.add()
    first = desk.request((lantern, 2), key="k-1")
    before = all_that_is_stored()
    again = desk.request((lantern, 2), key="k-1")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.order == first.order
    assert all_that_is_stored() == before


def test_the_same_request_again_shows_the_order_as_it_is_by_now(desk: Desk) -> None:
    lantern = desk.catalogue.add()
    first = desk.request((lantern, 2), key="k-1").order
    cancelled = cancel_order(order_id=first.id, reason=CANCELLED_BY_CUSTOMER, origin=desk.origin)
    assert desk.request((lantern, 2), key="k-1").order == cancelled


def test_the_same_request_is_known_again_when_the_catalogue_has_changed(desk: Desk) -> None:
    lantern = desk.catalogue.add()
    first = desk.request((lantern, 1), key="k-1").order
    desk.catalogue.retire(lantern)
    assert desk.request((lantern, 1), key="k-1").order == first


def test_another_request_under_the_same_key_is_refused(desk: Desk) -> None:
    lantern = desk.catalogue.add()
    desk.request((lantern, 2), key="k-1")
    before = all_that_is_stored()
    with pytest.raises(IdempotencyKeyReused):
        desk.request((lantern, 3), key="k-1")
    with pytest.raises(IdempotencyKeyReused):
        desk.request((lantern, 2), key="k-1", shipping_address=OTHER_ADDRESS)
    assert all_that_is_stored() == before


def test_two_customers_may_use_the_same_key(desk: Desk) -> None:
    lantern, other = desk.catalogue.add(), User.objects.create_user("other")
    first = desk.request((lantern, 1), key="k-1")
    second = desk.request((lantern, 1), key="k-1", user_id=other.pk)
    assert not second.replayed
    assert second.order.id != first.order.id


def test_without_a_key_every_request_is_an_order(desk: Desk) -> None:
    lantern = desk.catalogue.add()
    assert desk.request((lantern, 1)).order.id != desk.request((lantern, 1)).order.id
