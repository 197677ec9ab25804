"""One idempotency key of a customer gives one order."""

import pytest
from django.contrib.auth.models import User

from orders_app.exceptions import IdempotencyKeyReused
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order
from tests.orders_app.ordering import OTHER_ADDRESS, OrderPlacer, all_that_is_stored

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_repeated_request_gives_the_same_order(placer: OrderPlacer) -> None:
    lantern = placer.catalogue.add()
    first = placer.place_items((lantern, 2), key="k-1")
    before = all_that_is_stored()
    again = placer.place_items((lantern, 2), key="k-1")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.order == first.order
    assert all_that_is_stored() == before


def test_a_repeated_request_shows_the_order_in_its_current_state(placer: OrderPlacer) -> None:
    lantern = placer.catalogue.add()
    first = placer.place_items((lantern, 2), key="k-1").order
    cancelled = cancel_order(order_id=first.id, reason=CANCELLED_BY_CUSTOMER, origin=placer.origin)
    assert placer.place_items((lantern, 2), key="k-1").order == cancelled


def test_a_repeated_request_is_recognised_after_a_change_of_the_catalogue(placer: OrderPlacer) -> None:
    lantern = placer.catalogue.add()
    first = placer.place_items((lantern, 1), key="k-1").order
    placer.catalogue.retire(lantern)
    assert placer.place_items((lantern, 1), key="k-1").order == first


def test_another_request_under_the_same_key_is_refused(placer: OrderPlacer) -> None:
    lantern = placer.catalogue.add()
    placer.place_items((lantern, 2), key="k-1")
    before = all_that_is_stored()
    with pytest.raises(IdempotencyKeyReused):
        placer.place_items((lantern, 3), key="k-1")
    with pytest.raises(IdempotencyKeyReused):
        placer.place_items((lantern, 2), key="k-1", shipping_address=OTHER_ADDRESS)
    assert all_that_is_stored() == before


def test_two_customers_may_use_the_same_key(placer: OrderPlacer) -> None:
    lantern, other = placer.catalogue.add(), User.objects.create_user("other")
    first = placer.place_items((lantern, 1), key="k-1")
    second = placer.place_items((lantern, 1), key="k-1", user_id=other.pk)
    assert not second.replayed
    assert second.order.id != first.order.id


def test_without_a_key_every_request_is_an_order(placer: OrderPlacer) -> None:
    lantern = placer.catalogue.add()
    assert placer.place_items((lantern, 1)).order.id != placer.place_items((lantern, 1)).order.id
