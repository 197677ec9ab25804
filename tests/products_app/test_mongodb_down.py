import time

import pytest

from devtools.stack.server import Server
from products_app.exceptions import CatalogueUnavailable
from products_app.messages import InventoryReserved
from products_app.selectors import find_products_to_order
from products_app.services.stock.service import settle
from tests.products_app.api.callers import PRODUCTS, error_of, service
from tests.products_app.product_stock import assert_conserved, new_order, reserve, stocked
from tests.wsgi_client import WsgiClient


@pytest.mark.django_db(transaction=True)
def test_every_endpoint_of_the_catalogue_reports_an_outage_soon_and_works_afterwards(
    mongo_server: Server,
) -> None:
    lamp, order, anonymous, service_client = stocked(3), new_order(), WsgiClient(), service()
    request = reserve(order, (lamp, 1))
    answer = settle([request])
    mongo_server.kill()
    try:
        start = time.monotonic()
        with pytest.raises(CatalogueUnavailable):
            find_products_to_order([lamp])
        for response in (
            anonymous.get(PRODUCTS),
            service_client.post(f"{PRODUCTS}{lamp}/reserve/", {"quantity": 1, "orderId": order}),
        ):
            assert error_of(response) == (503, "catalogue_unavailable", None)
        assert time.monotonic() - start < 3 * 4
    finally:
        mongo_server.start()
    assert settle([request]) == answer
    assert isinstance(answer[0], InventoryReserved)
    assert_conserved()
