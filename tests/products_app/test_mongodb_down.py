import time

import pytest

from devtools.stack.server import Server
from products_app.exceptions import CatalogueUnavailable
from products_app.messages import InventoryReserved
from products_app.selectors import find_products_to_order
from products_app.services.stock.service import settle
from tests.front_door import FrontDoor
from tests.products_app.api.callers import PRODUCTS, error_of, service
from tests.products_app.shelves import assert_conserved, new_order, reserve, stocked


@pytest.mark.django_db(transaction=True)
def test_every_way_to_the_catalogue_says_soon_that_it_is_down_and_goes_on_afterwards(
    mongo_server: Server,
) -> None:
    lamp, order, anonymous, neighbour = stocked(3), new_order(), FrontDoor(), service()
    request = reserve(order, (lamp, 1))
    answer = settle([request])
    mongo_server.kill()
    try:
        start = time.monotonic()
        with pytest.raises(CatalogueUnavailable):
            find_products_to_order([lamp])
        for response in (
            anonymous.get(PRODUCTS),
            neighbour.post(f"{PRODUCTS}{lamp}/reserve/", {"quantity": 1, "orderId": order}),
        ):
            assert error_of(response) == (503, "catalogue_unavailable", None)
        assert time.monotonic() - start < 3 * 4
    finally:
        mongo_server.start()
    assert settle([request]) == answer
    assert isinstance(answer[0], InventoryReserved)
    assert_conserved()
