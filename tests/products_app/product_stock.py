"""Products and orders for tests of the stock service, and the check that stock is received minus held."""

import uuid
from decimal import Decimal

from products_app.documents.connection import object_id
from products_app.documents.ledger import LedgerEntry, ledger_collection
from products_app.documents.movements import Movement, movement_collection
from products_app.documents.product import product_collection
from products_app.services.catalogue import create_product
from products_app.services.stock.service import Line, Reserve
from tests.products_app.foreign_documents import document

KEY, OTHER_KEY = "servicea", "serviceb"
"""Two service keys, as the ledger names them."""


def stocked(stock: int, *, name: str = "Lantern", is_active: bool = True) -> str:
    """Creates a product with this stock; returns its id."""
    product = create_product(name=name, price=Decimal("10.00"), stock=stock, is_active=is_active)
    return str(product.id)


def planted(**fields: object) -> str:
    """A product that another program wrote past the validator, with these fields; returns its id."""
    inserted = product_collection().insert_one(document(fields), bypass_document_validation=True)
    return str(inserted.inserted_id)


def spoil(product_id: str, **fields: object) -> None:
    """Changes fields of a product as another program may, past the validator."""
    product_collection().update_one(
        {"_id": object_id(product_id)}, {"$set": fields}, bypass_document_validation=True
    )


def new_order() -> str:
    """A new order id."""
    return str(uuid.uuid4())


def reserve(order_id: str, *lines: tuple[str, int]) -> Reserve:
    """A request for these (product id, quantity) lines."""
    return Reserve(order_id, tuple(Line(product_id, quantity) for product_id, quantity in lines))


def stock_of(product_id: str) -> int:
    """The stock of a product in the catalogue."""
    product = product_collection().find_one({"_id": object_id(product_id)})
    assert product is not None
    stock: int = product["stock"]
    return stock


def entry_of(order_id: str) -> LedgerEntry | None:
    """The ledger entry of an order."""
    return ledger_collection().find_one({"_id": order_id})


def held_of(product_id: str) -> int:
    """The pieces of a product that all ledger entries hold."""
    lines = [entry["lines"].get(product_id) for entry in ledger_collection().find()]
    return sum(line["held"] for line in lines if line)


def movements_of(product_id: str) -> list[Movement]:
    """The movements of a product, oldest first."""
    return list(movement_collection().find({"product": object_id(product_id)}).sort("number", 1))


def unrecord(*product_ids: str) -> None:
    """Leaves products as the version before movements did: counted, without movements."""
    ids = [object_id(product_id) for product_id in product_ids]
    movement_collection().delete_many({"product": {"$in": ids}})
    product_collection().update_many({"_id": {"$in": ids}}, {"$unset": {"movements": 1}})


def assert_conserved() -> None:
    """Checks for every product that its stock is received minus held and not negative.

    Received is what its movements say, which are numbered, and each begins where the one before it ended.
    """
    for product in product_collection().find():
        stock, product_id = product["stock"], str(product["_id"])
        assert stock >= 0
        assert stock == product.get("received", stock) - held_of(product_id), product
        movements = movements_of(product_id)
        assert product.get("movements", 0) == len(movements), product
        received = 0
        for number, movement in enumerate(movements, 1):
            received += movement["quantity"]
            assert (movement["number"], movement["received"]) == (number, received)
        assert not movements or received == product["received"], product
