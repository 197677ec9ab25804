"""Orders with their events as each version of the code wrote them: `golden_events/`."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from orders_app.event_data import EventType
from orders_app.event_log import LoggedEvent

Json = dict[str, Any]
FILES = sorted(Path(__file__).with_name("golden_events").glob("*.json"))


class GoldenOrder(NamedTuple):
    """An order as one version of the code wrote its events, and how it is read."""

    events: list[LoggedEvent]
    order: Json


def logged(order_id: str, recorded: Json) -> LoggedEvent:
    return LoggedEvent(
        tx=700,
        id=recorded["version"],
        order_id=UUID(order_id),
        version=recorded["version"],
        type=EventType(recorded["type"]),
        user_id=7,
        data=json.dumps(recorded["data"]).encode(),
        actor=recorded["actor"],
        trace_parent="",
        created_at=datetime.fromisoformat(recorded["createdAt"]),
    )


def golden_order(recorded: Json) -> GoldenOrder:
    order = recorded["order"]
    return GoldenOrder([logged(order["id"], event) for event in recorded["events"]], order)


ORDERS = {
    f"{file.stem}: {name}": golden_order(recorded)
    for file in FILES
    for name, recorded in json.loads(file.read_text())["histories"].items()
}
EVENTS = [event for golden in ORDERS.values() for event in golden.events]
