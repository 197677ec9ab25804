"""`manage.py seed_demo`: the demo's catalogue and users, and weeks of orders."""

from argparse import ArgumentTypeError
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from config.demo.history import Shop, seed_history
from config.demo.stock import low_stock_of
from config.staff_roles import FINANCE, SUPPORT, WAREHOUSE
from foundation.currencies import smallest_unit
from products_app.exceptions import CatalogueUnavailable, SkuTaken
from products_app.services.catalogue import create_product

PASSWORD = "stockbridge-demo"  # noqa: S105 - it is no secret
MOST_DAYS = 365
CATALOGUE = Path(settings.BASE_DIR) / "config" / "demo_catalogue.json"


class DemoUser(NamedTuple):
    """A user of the demo."""

    name: str
    is_staff: bool = False
    is_superuser: bool = False


USERS = (
    DemoUser("alice"),
    DemoUser("bob"),
    DemoUser("sam", is_staff=True),
    DemoUser("admin", is_staff=True, is_superuser=True),
)
GROUPS_OF_STAFF = (SUPPORT, WAREHOUSE, FINANCE)
"""A demo has one member of staff, who does the work of three."""


class DemoProduct(msgspec.Struct):
    """A product of the demo."""

    sku: str
    name: str
    brand: str
    category: str
    price: Decimal
    stock: int
    tags: list[str]
    description: str


class Command(BaseCommand):
    """Loads the demo users and catalogue; what is there already stays as it is."""

    help = (
        f"Load the demo: users alice and bob (customers), sam (staff) and admin (superuser), all with the "
        f"password {PASSWORD}, and a catalogue of 24 products. Running it again adds only what is missing. "
        f"Not for a shop that strangers can reach. With --days it also writes the orders of so many days "
        f"until now, in every state, of 32 customers: about 35 a day, 30 days in under a minute. No mail "
        f"is sent about them and nothing is charged; their stock is received before. It may run beside the "
        f"system, which then works on these orders as on any others. What is there already stays as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument(
            "--days",
            type=number_of_days,
            default=0,
            metavar="N",
            help=f"orders of the last N days, 1 to {MOST_DAYS} (none)",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Load what is missing and say how much that was, or in one line why not."""
        if not settings.PLAIN_HTTP:
            raise CommandError("The demo's password is known to all: it is for PLAIN_HTTP alone.")
        users = [ensure_user(user) for user in USERS]
        call_command("create_collections", verbosity=0)
        try:
            products = [ensure_product(product) for product in demo_products()]
            orders = self._seed_orders(**options) if options["days"] else None
        except CatalogueUnavailable as error:
            raise CommandError(f"MongoDB (MONGODB_URI) cannot be reached: {error}") from error
        if options["verbosity"]:
            self.stdout.write(
                f"Demo users: {sum(users)} added of {len(users)}. "
                f"Demo products: {sum(products)} added of {len(products)}."
                + (f" Orders: {orders:,} added." if orders is not None else "")
            )

    def _seed_orders(self, *, days: int, verbosity: int, **_: Any) -> int:
        shop = Shop([product.sku for product in demo_products()], User.objects.get(username="sam"))
        if not shop.products:
            raise CommandError("None of the demo's products is for sale, so that nothing can be ordered.")
        return seed_history(shop, days=days, tell=self.stdout.write if verbosity else lambda _: None)


def number_of_days(text: str) -> int:
    """The value of --days. Raises ArgumentTypeError."""
    if not (text.isdecimal() and 1 <= int(text) <= MOST_DAYS):
        raise ArgumentTypeError(f"must be a whole number from 1 to {MOST_DAYS}, not {text!r}")
    return int(text)


def demo_products() -> list[DemoProduct]:
    """The catalogue of the demo."""
    return msgspec.json.decode(CATALOGUE.read_bytes(), type=list[DemoProduct])


def ensure_user(user: DemoUser) -> bool:
    """Make the user unless one has that name; says whether that was done."""
    if User.objects.filter(username=user.name).exists():
        return False
    with transaction.atomic():
        made = User.objects.create_user(
            user.name,
            f"{user.name}@example.com",
            PASSWORD,
            is_staff=user.is_staff,
            is_superuser=user.is_superuser,
        )
        if user.is_staff and not user.is_superuser:
            made.groups.add(*Group.objects.filter(name__in=GROUPS_OF_STAFF))
    return True


def ensure_product(product: DemoProduct) -> bool:
    """Put the product into the catalogue unless its SKU is there; says whether that was done."""
    price = product.price.quantize(smallest_unit(settings.CURRENCY))
    try:
        low_stock_at = low_stock_of(product.stock)
        create_product(**msgspec.structs.asdict(product) | {"price": price, "low_stock_at": low_stock_at})
    except SkuTaken:
        return False
    return True
