"""MongoDB without a primary: of three members one is left, which cannot be elected."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from bson import Decimal128, ObjectId
from pymongo import MongoClient
from pymongo.write_concern import WriteConcern

from devtools.driver.shop import eventually
from devtools.stack.mongo_set import MongoMember, mongo_set
from devtools.stack.ports import free_ports
from devtools.stack.servers import start_all, stop_all
from tests.python_process import run_python

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

LANTERN = ObjectId()
ASK = """
import sys, django
django.setup()
from products_app.exceptions import CatalogueUnavailable
from products_app.selectors import find_products_to_order, get_product, ping
ping()
[found] = find_products_to_order([sys.argv[1]]).values()
print(found.name, found.price)
try:
    get_product(product_id=sys.argv[1], include_inactive=True)
except CatalogueUnavailable:
    print("the page of the product waits")
"""


@pytest.fixture
def one_of_three(tmp_path: Path) -> Iterator[MongoMember]:
    """A member that has a product, and whose two neighbours are gone."""
    members = mongo_set(tmp_path, free_ports(3))
    try:
        start_all(members)
        yield without_neighbours(members)
    finally:
        stop_all(members)


def without_neighbours(members: Sequence[MongoMember]) -> MongoMember:
    """The member that is left when the others are killed; each had a product."""
    with MongoClient[dict[str, object]](members[0].url) as client:
        products = client.get_default_database()["products"]
        on_all = products.with_options(write_concern=WriteConcern(3))
        on_all.insert_one(
            {"_id": LANTERN, "name": "Lantern", "price": Decimal128("12.50"), "stock": 3, "isActive": True}
        )
    left, *others = sorted(members, key=lambda member: member.is_primary)
    for member in others:
        member.kill()
    return left


def test_orders_find_their_products_and_the_process_is_ready(one_of_three: MongoMember) -> None:
    eventually(lambda: not one_of_three.is_primary, "no primary", 60)
    done = run_python(
        "-c", ASK, str(LANTERN), MONGODB_URI=one_of_three.url, DJANGO_SETTINGS_MODULE="config.settings"
    )
    assert done.stdout.splitlines() == ["Lantern 12.50", "the page of the product waits"], done.stderr
