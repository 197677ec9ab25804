"""Parked events in the admin."""

from uuid import UUID, uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from kafka_workers.models import ParkedEvent
from tests.kafka_workers.admin.conftest import Login
from tests.orders_app.admin.order_pages import messages_of

pytestmark = pytest.mark.django_db(transaction=True)
LIST = reverse("admin:kafka_workers_parkedevent_changelist")
VIEW, CHANGE = "view_parkedevent", "change_parkedevent"


def park(order_id: UUID, *versions: int) -> list[ParkedEvent]:
    return [
        ParkedEvent.objects.create(
            order_id=order_id, version=version, type="order.created", reason="refused", detail="too large"
        )
        for version in versions
    ]


def send_again(client: Client, *rows: ParkedEvent) -> object:
    chosen = {"action": "send_again", "confirmed": "yes", "_selected_action": [row.pk for row in rows]}
    return client.post(LIST, chosen, follow=True)


def retried() -> set[tuple[UUID, int]]:
    rows = ParkedEvent.objects.filter(retry_requested_at__isnull=False)
    return set(rows.values_list("order_id", "version"))


def test_the_list_and_the_page_say_why_an_event_is_parked(login: Login) -> None:
    [row] = park(uuid4(), 1)
    client = login(VIEW)
    assert "too large" in client.get(LIST).content.decode()
    page = reverse("admin:kafka_workers_parkedevent_change", args=[row.pk])
    assert "too large" in client.get(page).content.decode()


def test_a_retry_takes_all_events_of_the_selected_orders_and_no_other(login: Login) -> None:
    order_id = uuid4()
    first, _ = park(order_id, 1, 2)
    park(uuid4(), 1)
    response = send_again(login(VIEW, CHANGE), first)
    assert messages_of(response) == ["The relay will send 2 events again."]
    assert retried() == {(order_id, 1), (order_id, 2)}
    assert LogEntry.objects.get().object_id == str(first.pk)


def test_a_page_says_before_which_events_are_sent_again(login: Login) -> None:
    order_id = uuid4()
    first, second = park(order_id, 1, 2)
    [other] = park(uuid4(), 1)
    chosen = {"action": "send_again", "_selected_action": [first.pk]}
    words = login(VIEW, CHANGE).post(LIST, chosen).content.decode()
    assert "2 events are sent again" in words
    assert str(second.order_id) in words
    assert str(other.order_id) not in words
    assert retried() == set()


def test_a_user_who_may_only_view_requests_no_retry(login: Login) -> None:
    [row] = park(uuid4(), 1)
    send_again(login(VIEW), row)
    assert retried() == set()


def test_a_user_without_the_view_permission_sees_nothing(login: Login) -> None:
    [row] = park(uuid4(), 1)
    client = login()
    assert client.get(LIST).status_code == 403
    send_again(client, row)
    assert retried() == set()


def test_parked_events_cannot_be_edited_added_or_deleted(login: Login) -> None:
    [row] = park(uuid4(), 1)
    client = login(VIEW, CHANGE, "delete_parkedevent", "add_parkedevent")
    page = reverse("admin:kafka_workers_parkedevent_change", args=[row.pk])
    assert client.post(page, {"detail": "changed"}).status_code == 403
    assert client.get(reverse("admin:kafka_workers_parkedevent_add")).status_code == 403
    gone = reverse("admin:kafka_workers_parkedevent_delete", args=[row.pk])
    assert client.post(gone, {"post": "yes"}).status_code == 403
    row.refresh_from_db()
    assert row.detail == "too large"


def test_a_group_keeps_its_rights_when_a_migration_renames_the_model() -> None:
    group = Group.objects.create(name="operators")
    call_command("migrate", "kafka_workers", "0002", verbosity=0)
    try:
        group.permissions.add(Permission.objects.get(codename="change_setasideevent"))
    finally:
        call_command("migrate", "kafka_workers", verbosity=0)
    assert [permission.codename for permission in group.permissions.all()] == [CHANGE]
    assert not Permission.objects.filter(codename__endswith="setasideevent").exists()
