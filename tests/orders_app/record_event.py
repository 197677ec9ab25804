"""`python -m tests.orders_app.record_event NAME TYPE DATA` records an event of a new type or shape.

DATA is the JSON of its fields; `orderNumber` and `changes.updatedAt` are added. The event is the second of
the first order of `recorded_effects.json`. What it causes is added there under NAME, and the order becomes
the next file of `golden_events/`. Look at what it has written: that is what others will get, and what later
versions of the code have to read.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import django
import msgspec

os.environ.setdefault("DEBUG", "true")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from kafka_workers.relay.order_messages import messages_of  # noqa: E402, after the set-up
from orders_app.event_effects import effect_of  # noqa: E402
from orders_app.fold import fold_event  # noqa: E402
from orders_app.sockets.socket_messages import encode_message  # noqa: E402
from tests.orders_app.recorded_effects import logged_event, order_after  # noqa: E402

Json = dict[str, Any]
FOLDER = Path(__file__).parent
EFFECTS_FILE, GOLDEN_FOLDER = FOLDER / "recorded_effects.json", FOLDER / "golden_events"
TIME = "2026-01-02T03:12:05.678901"


def main(name: str, event_type: str, fields: str) -> None:
    """Writes both files."""
    recorded: dict[str, Json] = json.loads(EFFECTS_FILE.read_text())
    entry = _with_effects(_event(recorded["created"], event_type, json.loads(fields)), recorded["created"])
    _write(EFFECTS_FILE, recorded | {name: entry})
    number = 1 + len(list(GOLDEN_FOLDER.glob("*.json")))
    golden = {
        "writtenBy": f"The code with {event_type}.",
        "histories": {name: _history(recorded["created"], entry)},
    }
    _write(GOLDEN_FOLDER / f"{number:03}-{name.replace(' ', '-')}.json", golden)


def _event(created: Json, event_type: str, fields: Json) -> Json:
    number = json.loads(created["data"])["orderNumber"]
    changes = {"updatedAt": f"{TIME}Z"} | fields.get("changes", {})
    data = {"orderNumber": number} | fields | {"changes": changes}
    return {
        "type": event_type,
        "version": 2,
        "created_at": f"{TIME}+00:00",
        "trace_parent": created["trace_parent"],
        "data": json.dumps(data, ensure_ascii=False, separators=(",", ":")),
    }


def _with_effects(event: Json, created: Json) -> Json:
    """The entry of an event: what it causes, by the code of today."""
    logged = logged_event(event)
    order = fold_event(order_after(created), logged)
    text = effect_of(logged.type).socket
    messages = [
        {"topic": sent.topic, "key": sent.key, "headers": sent.headers, "value": (sent.value or b"").decode()}
        for sent in messages_of(logged)
    ]
    return event | {
        "messages": messages,
        "order": msgspec.json.encode(order).decode(),
        "socket": encode_message(logged, text, order) if text else None,
    }


def _history(created: Json, entry: Json) -> Json:
    events = [_golden(created, "customer:7"), _golden(entry, "staff:1")]
    return {"events": events, "order": json.loads(entry["order"])}


def _golden(event: Json, actor: str) -> Json:
    return {
        "version": event["version"],
        "type": event["type"],
        "createdAt": event["created_at"].replace("+00:00", "Z"),
        "actor": actor,
        "data": json.loads(event["data"]),
    }


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _arguments(given: Sequence[str]) -> Sequence[str]:
    if len(given) != len(("NAME", "TYPE", "DATA")):
        sys.exit(__doc__)
    return given


if __name__ == "__main__":
    main(*_arguments(sys.argv[1:]))
