"""The table of event types with their data and effects."""

import pytest

from orders_app.event_data import EventType
from orders_app.event_effects import EFFECTS, decode
from orders_app.fold import fold_event
from tests.orders_app.recorded_effects import RECORDED, logged_event, order_after
from tests.python_process import run_python

START_WITH_EVENT_TYPES = """
import enum
from orders_app import event_data
types = {member.name: member.value for member in event_data.EventType}
event_data.EventType = enum.StrEnum("EventType", types | %r)
import django
django.setup()
print("started")
"""


@pytest.mark.parametrize("flags", [(), ("-O",)], ids=["", "optimized"])
def test_an_event_type_without_an_entry_stops_every_process_at_its_start(flags: tuple[str, ...]) -> None:
    script = START_WITH_EVENT_TYPES % {"RETURNED": "order.returned"}
    process = run_python(*flags, "-c", script, DEBUG="true")
    assert process.returncode == 1
    assert "ImproperlyConfigured: EFFECTS has no entry for RETURNED" in process.stderr


def test_a_process_starts_with_an_entry_for_every_event_type() -> None:
    process = run_python("-c", START_WITH_EVENT_TYPES % {}, DEBUG="true")
    assert process.stdout == "started\n", process.stderr


def test_the_effects_of_every_type_of_event_are_recorded() -> None:
    assert {recorded["type"] for recorded in RECORDED.values()} == set(EventType) == EFFECTS.keys()


@pytest.mark.parametrize("name", RECORDED)
def test_the_data_of_an_event_is_decoded_as_the_structure_of_its_entry(name: str) -> None:
    event = logged_event(RECORDED[name])
    assert type(decode(event.type, event.data)) is EFFECTS[event.type].data


@pytest.mark.parametrize("name", RECORDED)
def test_an_event_leads_to_the_recorded_order(name: str) -> None:
    recorded = RECORDED[name]
    before = None if recorded["version"] == 1 else order_after(RECORDED["created"])
    assert fold_event(before, logged_event(recorded)) == order_after(recorded)
