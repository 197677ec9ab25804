"""Events are read as every version of the code wrote them: `golden_events/` has orders of each.

A file never changes. A test that fails here says that stored events can no longer be read as they were meant:
add a function to `upcasting.UPCASTERS`. A new field or shape needs a new file with an order that has it, as
`order_history` and the API show it.
"""

import json
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Any, get_args

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import fields

from orders_app.event_data import EventType
from orders_app.event_effects import EFFECTS, decode, kafka_values
from orders_app.fold import rebuild_order
from orders_app.upcasting import UPCASTERS, current_shape, upcast
from tests.orders_app.golden_orders import EVENTS, ORDERS


def without_unknown(found: Any, expected: Any) -> Any:
    """What was found of the fields that are expected: later versions of the code may add others."""
    if isinstance(expected, dict):
        return (
            {name: without_unknown(found[name], value) for name, value in expected.items()}
            if found
            else found
        )
    if isinstance(expected, list):
        return [without_unknown(*pair) for pair in zip(found, expected, strict=True)]
    return found


def paths_of(kind: Any, before: str = "") -> Iterator[str]:
    """The paths of all fields of a struct, as JSON names them."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        for field in fields(kind):
            yield before + field.encode_name
            yield from paths_of(field.type, f"{before}{field.encode_name}.")
    elif isinstance(kind, UnionType) or get_args(kind):
        for part in get_args(kind):
            yield from paths_of(part, before)


def paths_in(value: Any, before: str = "") -> Iterator[str]:
    """The paths of all fields in JSON."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield before + name
            yield from paths_in(inner, f"{before}{name}.")
    elif isinstance(value, list):
        for inner in value:
            yield from paths_in(inner, before)


@pytest.mark.parametrize("name", ORDERS)
def test_an_order_is_rebuilt_from_the_events_of_any_version_of_the_code(name: str) -> None:
    events, order = ORDERS[name]
    rebuilt = json.loads(msgspec.json.encode(rebuild_order(events)))
    assert without_unknown(rebuilt, order) == order


def test_the_messages_of_all_events_can_be_built() -> None:
    for event in EVENTS:
        kafka_values(event)


@pytest.mark.parametrize("event_type", EventType)
def test_every_shape_of_every_type_of_event_is_among_the_files(event_type: EventType) -> None:
    written = [json.loads(event.data).get("shape", 1) for event in EVENTS if event.type == event_type]
    assert {*written} == {*range(1, current_shape(event_type) + 1)}


@pytest.mark.parametrize("event_type", EventType)
def test_every_field_that_an_event_may_have_is_in_a_file(event_type: EventType) -> None:
    written = {
        path for event in EVENTS if event.type == event_type for path in paths_in(json.loads(event.data))
    }
    # Which fields a change of an order may have does not depend on the type of the event.
    changes = {
        path for event in EVENTS for path in paths_in(json.loads(event.data)) if path.startswith("changes.")
    }
    effect = EFFECTS[event_type]
    known = {*paths_of(effect.data), *(paths_of(effect.kafka_data) if effect.kafka_data else ())}
    assert known - written - changes <= {"shape"}


def test_an_event_of_today_is_read_as_it_is() -> None:
    data = next(
        event.data for event in EVENTS if event.type == EventType.CANCELLED and b'"shape": 2' in event.data
    )
    assert upcast(EventType.CANCELLED, data) is None


@pytest.mark.parametrize(("event_type", "shape"), [(EventType.CANCELLED, 3), (EventType.CONFIRMED, 2)])
def test_a_shape_that_only_a_newer_version_knows_is_refused(event_type: EventType, shape: object) -> None:
    data = next(json.loads(event.data) for event in EVENTS if event.type == event_type)
    with pytest.raises(msgspec.ValidationError, match=f"its shape is {shape!r}, and this version reads 1 to"):
        decode(event_type, json.dumps(data | {"shape": shape}).encode())


@pytest.mark.parametrize("shape", [0, -1, "1", None, 1.5, [1]])
def test_a_shape_that_is_no_number_of_one_is_refused(shape: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(EventType.CANCELLED, json.dumps({"shape": shape, "orderNumber": "SB-1"}).encode())


@pytest.mark.parametrize("event_type", UPCASTERS)
@pytest.mark.parametrize("data", [b"{}", b'{"changes": 5}', b'{"changes": {"cancelReason": null}}', b"[]"])
def test_data_that_does_not_have_the_shape_that_it_names_is_refused(
    event_type: EventType, data: bytes
) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(event_type, data)


def test_what_is_not_understood_stays_in_the_data() -> None:
    data = next(json.loads(event.data) for event in EVENTS if event.type == EventType.CANCELLED)
    older = upcast(EventType.CANCELLED, json.dumps(data | {"redaction": 7}).encode())
    assert older is not None
    assert json.loads(older)["redaction"] == 7
