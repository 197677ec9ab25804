"""What is held of a person, as one JSON object that is written piece by piece."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from django.utils import timezone

from foundation.printable import printable_json
from orders_app.personal_data.holdings import HOLDINGS, row_values
from orders_app.personal_data.orders import held_of_orders, slices_of_orders
from orders_app.personal_data.person import Person

ELSEWHERE = (
    "Messages about the orders in Kafka, with tracking numbers and reasons, until their retention ends.",
    "Payments at the payment gateway, under the ids of `payments` and `refunds`.",
    "Mails at the mail servers that took them.",
    "Backups of the database, and log lines, as long as they are kept.",
)
"""What is held outside the database."""


def export_person(person: Person, write: Callable[[str], object]) -> None:
    """Write everything that is held of this person, except passwords, keys and tokens, as a JSON text."""
    write(f'{{"exportedAt": {_json(timezone.now())},\n"userId": {person.user_id}')
    for name, items in _lists(person):
        write(f",\n{_json(name)}: [")
        for number, item in enumerate(items):
            write(f"{',' if number else ''}\n  {_json(item)}")
        write("]")
    write("}\n")


def _lists(person: Person) -> Iterator[tuple[str, Iterable[object]]]:
    """What is held, by name."""
    for holding in HOLDINGS:
        yield holding.name, row_values(holding.rows(person), holding.withheld)
    yield "orders", _held_of_all_orders(person.user_id)
    yield "heldElsewhere", ELSEWHERE


def _held_of_all_orders(user_id: int) -> Iterator[dict[str, Any]]:
    for order_ids in slices_of_orders(user_id):
        yield from held_of_orders(order_ids)


def _json(value: object) -> str:
    return printable_json(msgspec.json.encode(value, enc_hook=str).decode())
