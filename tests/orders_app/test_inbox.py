"""The inbox: an effect is begun until it is done, and after two beginnings it is left to people."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from orders_app import inbox
from orders_app.inbox import Beginning, message_key
from orders_app.models import InboxMessage
from tests.concurrency import run_beside

pytestmark = pytest.mark.django_db

GROUP = "toy-service-group"


def begin(key: str, group: str = GROUP) -> Beginning:
    with connection.cursor() as cursor:
        cursor.execute(inbox.BEGIN, {"group": group, "key": key})
        return inbox.beginning_of(connection, cursor.fetchone(), group=group, key=key)


def finish(key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(inbox.FINISH, {"group": GROUP, "key": key})


def test_an_effect_that_is_done_does_not_begin_again_in_its_group() -> None:
    key = uuid.uuid4().hex
    assert begin(key) is Beginning.BEGUN
    finish(key)
    assert begin(key) is Beginning.DONE
    assert begin(key, "another-group") is Beginning.BEGUN


def test_an_effect_that_was_begun_twice_is_left_to_people_and_begins_again_after_that() -> None:
    key = uuid.uuid4().hex
    assert [begin(key) for _ in range(4)] == [
        Beginning.BEGUN,
        Beginning.BEGUN,
        Beginning.UNSURE,
        Beginning.BEGUN,
    ]


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_at_it_is_waited_for_until_it_has_ended_or_is_frozen_for_long() -> None:
    key = uuid.uuid4().hex
    assert begin(key) is Beginning.BEGUN
    assert run_beside(lambda: begin(key)) is Beginning.BUSY
    finish(key)
    inbox.release(connection, key=key)
    assert run_beside(lambda: begin(key)) is Beginning.DONE
    frozen = uuid.uuid4().hex
    assert begin(frozen) is Beginning.BEGUN
    InboxMessage.objects.filter(message_id=frozen).update(begun_at=timezone.now() - timedelta(minutes=5))
    assert run_beside(lambda: begin(frozen)) is Beginning.BEGUN


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_killed_is_not_waited_for() -> None:
    key = uuid.uuid4().hex
    assert run_beside(lambda: begin(key)) is Beginning.BEGUN  # its connection is closed
    assert begin(key) is Beginning.BEGUN


def test_what_certainly_did_not_happen_counts_for_nothing() -> None:
    key = uuid.uuid4().hex
    for _ in range(5):
        assert begin(key) is Beginning.BEGUN
        inbox.take_back(connection, group=GROUP, key=key)
    assert begin(key) is Beginning.BEGUN


def test_what_must_not_happen_is_done_without_a_beginning() -> None:
    key = uuid.uuid4().hex
    finish(key)
    assert begin(key) is Beginning.DONE


def test_the_same_id_of_another_source_is_another_message() -> None:
    assert message_key("/crm", "1") != message_key("/erp", "1")


@pytest.mark.parametrize("message_id", ["x" * 5000, "a\x00b", "\ud800"])
def test_any_id_has_a_key_that_the_table_can_hold(message_id: str) -> None:
    assert begin(message_key("/s", message_id)) is Beginning.BEGUN
    assert message_key("/s", message_id) != message_key("/s", message_id + "y")
