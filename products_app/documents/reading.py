"""Reads a document of the collection `products`: the one place that says what each of its fields means.

Other programs may have written it, so the type and the bounds of each field are checked.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeGuard

import msgspec
import structlog
from bson import Decimal128, ObjectId
from django.conf import settings
from msgspec import Struct

from foundation.currencies import decimals_of, largest_amount, smallest_unit
from foundation.printable import shortened
from products_app.exceptions import ProductUnreadable

MAX_NAME = 200
MAX_COUNT = 2**53 - 1
"""The largest whole number that every reader of JSON reads exactly."""
PRICE_DIGITS = 10
"""How many digits the price of a piece may have before the point."""
SHOWN_CHARACTERS = 60
COUNTS = {"stock", "received"}

_NAME = re.compile(rf"(?=[\s\S]*\S)[^\x00]{{1,{MAX_NAME}}}")
_json = msgspec.json.Encoder()
log = structlog.get_logger(__name__)


class Product(Struct, frozen=True, kw_only=True):
    """A product that can be shown and, while it is active, sold.

    `stock` is the pieces that can still be sold, `received` all that were ever put in, None if another
    program wrote the product and left that out. Fewer pieces than `low_stock_at` are a low stock.
    """

    id: str
    name: str
    price: Decimal
    stock: int
    received: int | None
    low_stock_at: int
    is_active: bool
    description: str
    category: str
    image_url: str
    sku: str
    brand: str
    tags: tuple[str, ...]
    created: datetime
    updated: datetime

    @property
    def in_stock(self) -> bool:
        """Whether at least one piece can be sold."""
        return bool(self.stock)

    @property
    def held(self) -> int:
        """The pieces that orders hold: what is missing of what was received."""
        return 0 if self.received is None else self.received - self.stock

    @property
    def low_stock(self) -> bool:
        """Whether fewer pieces can be sold than staff want to have."""
        return self.stock < self.low_stock_at

    @property
    def revision(self) -> str:
        """Changes whenever anything changes that the API shows of the product, its stock included."""
        shown = msgspec.structs.replace(self, received=None)
        return blake2b(_json.encode(shown), digest_size=16).hexdigest()


def read_product(document: Mapping[str, Any]) -> Product:
    """The product in a document. Raises ProductUnreadable where a field that selling needs is wrong.

    A missing or null `isActive` means true. Any other field that is missing or of a wrong type is empty.
    """
    if faults := faults_of(document):
        raise ProductUnreadable(str(document["_id"]), faults)
    key, get = document["_id"], document.get
    created = _time(get("createdAt")) or key.generation_time
    return Product(
        id=str(key),
        name=document["name"],
        price=read_price(document["price"]),
        stock=int(document["stock"]),
        received=None if get("received") is None else int(document["received"]),
        low_stock_at=_count(get("lowStockAt")),
        is_active=get("isActive") is not False,
        description=_text(get("description")),
        category=_text(get("category")),
        image_url=_text(get("imageUrl")),
        sku=_text(get("sku")),
        brand=_text(get("brand")),
        tags=_texts(get("tags")),
        created=created,
        updated=_time(get("updatedAt")) or created,
    )


def find_readable(document: Mapping[str, Any]) -> Product | None:
    """The same; None where the document cannot be read, which is logged once."""
    try:
        return read_product(document)
    except ProductUnreadable as error:
        report_unreadable(error.product_id, error.reason)
        return None


@lru_cache(10_000)
def report_unreadable(product_id: str, reason: str) -> None:
    """Log that a product is passed over; once for each product and reason."""
    log.error("product cannot be read", product=product_id, reason=reason, remedy="manage.py check_catalogue")


def faults_of(document: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the fields that selling needs, by field; empty where the product can be read."""
    return {
        field: f"{field} must be {wanted()}, and is {shown(document.get(field))}"
        for field, (is_right, wanted) in _RULES.items()
        if not is_right(document.get(field))
    }


def require_readable_counts(document: Mapping[str, Any]) -> None:
    """Raise ProductUnreadable where stock or received is wrong: it cannot be told what orders hold."""
    faults = {field: fault for field, fault in faults_of(document).items() if field in COUNTS}
    if faults:
        raise ProductUnreadable(str(document["_id"]), faults)


def shown(value: object) -> str:
    """A value of any type, on one line of bounded length."""
    if value is None:
        return "missing"
    text = str(value) if isinstance(value, Decimal128) else repr(value)
    return shortened(text, SHOWN_CHARACTERS)


def is_name(value: object) -> TypeGuard[str]:
    """Whether this is a text that can be shown and stored: not blank, not too long, without NUL."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def is_count(value: object) -> TypeGuard[int]:
    """Whether this is a number of pieces."""
    return is_whole(value) and 0 <= value <= MAX_COUNT


def is_whole(value: object) -> TypeGuard[int]:
    """Whether this is an integer; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def max_price() -> Decimal:
    """The highest price of a piece, in the currency of the installation."""
    return largest_amount(settings.CURRENCY, PRICE_DIGITS)


def read_price(value: object) -> Decimal:
    """An amount with the decimals of the installation's currency.

    A double counts as the decimal of 15 digits next to it, as MongoDB itself converts it.
    Raises ValueError where the value is no number, has more decimals, is negative or too high.
    """
    currency = settings.CURRENCY
    if isinstance(value, Decimal128):
        return _read_decimal128(value.bid, currency)
    return _checked(as_decimal(value), value, currency)


@lru_cache(10_000)
def _read_decimal128(stored: bytes, currency: str) -> Decimal:
    # Converting takes longer than all other checks of a product, and prices repeat.
    value = Decimal128.from_bid(stored)
    return _checked(value.to_decimal(), value, currency)


def _checked(price: Decimal | None, value: object, currency: str) -> Decimal:
    unit, highest = smallest_unit(currency), largest_amount(currency, PRICE_DIGITS)
    if price is None or not price.is_finite() or not 0 <= price <= highest or price % unit:
        raise ValueError(shown(value))
    return price.copy_abs().quantize(unit)


def as_decimal(value: object) -> Decimal | None:
    """A number of BSON as a Decimal, which may be NaN or infinite; None where it is none."""
    match value:
        case Decimal128():
            return value.to_decimal()
        case float():
            return Decimal(format(value, ".15g"))
        case int() if not isinstance(value, bool):
            return Decimal(value)
    return None


def _is_price(value: object) -> bool:
    try:
        read_price(value)
    except ValueError:
        return False
    return True


def _wanted_price() -> str:
    decimals = decimals_of(settings.CURRENCY)
    return f"a number from 0 to {max_price()} with at most {decimals} decimals"


_RULES: Mapping[str, tuple[Callable[[object], bool], Callable[[], str]]] = {
    "_id": (lambda value: isinstance(value, ObjectId), lambda: "an ObjectId"),
    "name": (is_name, lambda: f"a text of 1 to {MAX_NAME} characters"),
    "price": (_is_price, _wanted_price),
    "stock": (is_count, lambda: "a whole number, not negative"),
    "received": (
        lambda value: value is None or is_count(value),
        lambda: "a whole number, not negative",
    ),
    "isActive": (lambda value: value is None or isinstance(value, bool), lambda: "true or false"),
}
"""The fields that selling needs: whether a value is right, and what it must be."""
NEEDED_FIELDS = dict.fromkeys(_RULES, 1)
"""The projection for readers that need no other field."""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _count(value: object) -> int:
    return int(value) if is_count(value) else 0


def _time(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None
