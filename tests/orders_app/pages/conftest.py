"""What the tests of the pages have."""

import pytest
from bson import Decimal128

from tests.orders_app.ordering import Catalogue


@pytest.fixture
def lantern(catalogue: Catalogue) -> str:
    """A product of which there are five."""
    return catalogue.plant(name="Lantern", price=Decimal128("10.00"), stock=5)
