"""The effects of an event of every type, recorded before they became one table: `recorded_effects.json`.

Each entry has the event as it stands in the log, its Kafka messages, the order after it, and the JSON of its
socket message (null where there is none). An entry changes only where the contract changes.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from orders_app.document import OrderDocument
from orders_app.event_data import EventType
from orders_app.event_log import LoggedEvent

RECORDED: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("recorded_effects.json").read_text()
)


def logged_event(recorded: dict[str, Any]) -> LoggedEvent:
    return LoggedEvent(
        tx=700,
        id=41,
        order_id=UUID("019b7e2a-0b1c-7d3e-8f40-0123456789ab"),
        version=recorded["version"],
        type=EventType(recorded["type"]),
        user_id=7,
        data=recorded["data"].encode(),
        actor="staff:1",
        trace_parent=recorded["trace_parent"],
        created_at=datetime.fromisoformat(recorded["created_at"]),
    )


def order_after(recorded: dict[str, Any]) -> OrderDocument:
    return msgspec.json.decode(recorded["order"], type=OrderDocument)
