"""`manage.py parked_events`."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from foundation.operator_command import Column, OperatorCommand, write_table
from kafka_workers.models import ParkedEvent
from kafka_workers.relay.parked_events import blocked_orders, request_retry

_COLUMNS = (
    Column("event"),
    Column("type", on_terminal=False),
    Column("since", on_terminal=False),
    Column("reason", stretches=True),
    Column("retry"),
)


class Command(OperatorCommand):
    """Lists the events that the relay could not publish, and requests a retry."""

    help = (
        "An event is parked when Kafka rejects one of its messages, when its data is not of its type, or "
        "when it follows such an event of the same order; all other orders go on. Fix the cause, then "
        "`retry`: the relay sends the events in order within seconds. An event that still cannot be sent "
        "stays parked, with its new reason."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`list` and `retry`."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser(
            "list",
            help="one line for each event: its id and why it waits; elsewhere than on a terminal, its "
            "type and since when it waits as well, with tabs between the columns",
        )
        retry = actions.add_parser("retry", help="request that the relay sends them again")
        retry.add_argument("order", nargs="*", type=_order_id, help="ids of the orders; without any, all")

    def handle(self, *, action: str, order: list[UUID] | None = None, **_: Any) -> None:
        """List, or request a retry. Exit code 1 when an order has no parked event."""
        if action == "list":
            self._list()
        else:
            self._retry(set(order or ()))

    def _list(self) -> None:
        rows = [
            [
                f"{row.order_id}:{row.version}",
                row.type,
                row.parked_at.isoformat(timespec="seconds"),
                row.detail,
                "requested" if row.retry_requested_at else "",
            ]
            for row in ParkedEvent.objects.all()
        ]
        write_table(self.stdout, _COLUMNS, rows)
        self.stdout.write(f"{len(rows)} parked events")

    def _retry(self, orders: set[UUID]) -> None:
        blocked = blocked_orders()
        if unknown := orders - blocked:
            raise CommandError(f"no parked events of {', '.join(map(str, sorted(unknown)))}")
        self.stdout.write(f"the relay will send {request_retry(orders or blocked)} events again")


def _order_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is no order id such as 019b7e2a-0b1c-7d3e-8f40-0123456789ab"
        ) from None
