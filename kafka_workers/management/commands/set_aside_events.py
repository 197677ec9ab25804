"""`manage.py set_aside_events`."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from kafka_workers.models import SetAsideEvent
from kafka_workers.relay.parked_events import held_orders, request_retry


class Command(BaseCommand):
    """Shows the events that the relay could not publish, and has it try again."""

    help = (
        "Events whose messages Kafka would not take wait here with the reason, and later events of the same "
        "orders behind them; all other orders go on. Mend the cause, then `retry`: the relay sends them in "
        "their order within seconds, and what is refused again stays, with its new reason."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`list` and `retry`."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="one line an event: its id, type, since when it waits, and why")
        retry = actions.add_parser("retry", help="have the relay send them again")
        retry.add_argument("order", nargs="*", type=UUID, help="ids of the orders; none means all")

    def handle(self, *, action: str, order: list[UUID] | None = None, **_: Any) -> None:
        """List or ask for a retry. An order of which nothing is set aside ends it with exit code 1."""
        if action == "list":
            self._list()
        else:
            self._retry(set(order or ()))

    def _list(self) -> None:
        rows = SetAsideEvent.objects.all()
        for row in rows.iterator():
            asked = ", retry asked for" if row.retry_requested_at else ""
            since = row.set_aside_at.isoformat(timespec="seconds")
            self.stdout.write(f"{row.order_id}:{row.version}  {row.type}  {since}{asked}  {row.detail}")
        self.stdout.write(f"{rows.count()} events set aside")

    def _retry(self, orders: set[UUID]) -> None:
        held = held_orders()
        if unknown := orders - held:
            raise CommandError(f"nothing is set aside of {', '.join(map(str, sorted(unknown)))}")
        self.stdout.write(f"the relay will send {request_retry(orders or held)} events again")
