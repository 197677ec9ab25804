"""Dead letters in the admin: permitted users find, see and resolve them."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse

from devtools.stack.server import Server
from kafka_workers.admin import dead_letter_pages
from kafka_workers.runtime.broker import topic_reader
from kafka_workers.runtime.dead_letters.letters import DeadLetter, DeadLetterFilter, find_dead_letters
from kafka_workers.runtime.group_topics import dead_letter_topic
from kafka_workers.runtime.messages.message import OutgoingMessage
from kafka_workers.runtime.producing.producer import Producer
from tests.kafka_workers.admin.conftest import Login
from tests.kafka_workers.runtime.dead_letters.test_dead_letters import dead_letters_of, unresolved
from tests.kafka_workers.runtime.workbench import Bench
from tests.orders_app.admin.order_pages import messages_of
from tests.orders_app.ordering import OrderPlacer

pytestmark = pytest.mark.django_db(transaction=True)
LIST = reverse("admin:kafka_workers_deadletterrecord_changelist")
VIEW, SETTLE = "view_deadletterrecord", "settle_deadletterrecord"


def page_of(letter: DeadLetter) -> str:
    return reverse("admin:kafka_workers_deadletterrecord_change", args=[quote(letter.coordinates)])


def act(client: Client, bench: Bench, action: str, **fields: Any) -> Any:
    given = {"action": action, "confirmed": "yes", **fields}
    return client.post(f"{LIST}?group={bench.group}", given, follow=True)


def resolved(bench: Bench) -> list[DeadLetter]:
    letters = find_dead_letters(DeadLetterFilter(group=bench.group), bench.groups, include_resolved=True)
    return [letter for letter in letters if letter.resolution]


def test_the_list_finds_by_group_topic_reason_and_key(login: Login, bench: Bench) -> None:
    dead_letters_of(bench, 3)
    client = login(VIEW)

    def found(**query: str) -> int:
        count: int = client.get(LIST, query).context["found"]
        return count

    assert found(group=bench.group) == found(topic=bench.topic) == 3
    assert found(group=bench.group, reason="number 2") == found(group=bench.group, key="2") == 1
    assert found(group=bench.group, reason="no such error") == found(group="nobody") == 0
    assert "number 2" in client.get(LIST, {"group": bench.group}).content.decode()


def test_a_filter_without_meaning_finds_nothing_and_has_nothing_resolved(login: Login, bench: Bench) -> None:
    dead_letters_of(bench, 2)
    client = login(VIEW, SETTLE)
    for field in ("group", "topic", "reason", "key"):
        address = f"{LIST}?{field}=%00"
        fields = {"action": "discard", "confirmed": "yes", "everything": "on", "why": "junk"}
        for answer in (client.get(address, follow=True), client.post(address, fields, follow=True)):
            assert answer.redirect_chain == [(LIST, 302)]
            assert "has no meaning here" in messages_of(answer)[0]
    assert resolved(bench) == []


def test_a_long_list_shows_its_beginning_and_counts_all(
    login: Login, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letter_pages, "SHOWN", 2)
    dead_letters_of(bench, 3)
    page = login(VIEW).get(LIST, {"group": bench.group})
    assert (page.context["shown"], page.context["found"]) == (2, 3)


def test_the_page_of_a_dead_letter_shows_headers_value_and_resolution(login: Login, bench: Bench) -> None:
    [letter] = dead_letters_of(bench, 1)
    client = login(VIEW, SETTLE)
    act(client, bench, "discard", place=letter.coordinates, why="sent by <a load test>")
    page = client.get(page_of(letter)).content.decode()
    for words in (
        letter.coordinates,
        "failure_group",
        "number 0",
        "discarded by staff-",
        "sent by &lt;a load test",
    ):
        assert words in page


def test_the_page_of_a_dead_letter_shows_any_time_that_its_headers_can_give(
    login: Login, bench: Bench
) -> None:
    [letter] = dead_letters_of(bench, 1)
    headers: dict[str, str | bytes | None] = {
        **letter.headers,
        "failure_first_at": "0001-01-01T00:00:00+14:00",
        "failure_last_at": "9999-12-31T23:59:59-12:00",
    }
    with Producer("test") as producer:
        producer.publish([OutgoingMessage(dead_letter_topic(bench.group), "k", b"1", headers)])
    _, odd = unresolved(bench)
    page = login(VIEW).get(page_of(odd))
    assert "0001-01-01 00:00:00+14:00" in page.content.decode()
    assert "9999-12-31 23:59:59-12:00" in page.content.decode()


def test_coordinates_without_a_dead_letter_are_not_found(login: Login, bench: Bench) -> None:
    page = reverse("admin:kafka_workers_deadletterrecord_change", args=[quote(f"{bench.group}.dlq/0/99")])
    assert login(VIEW).get(page).status_code == 404


def test_only_the_selected_dead_letters_are_redriven(login: Login, bench: Bench) -> None:
    letters = dead_letters_of(bench, 3)
    response = act(
        login(VIEW, SETTLE), bench, "redrive", place=[letters[0].coordinates, letters[2].coordinates]
    )
    assert messages_of(response) == ["2 dead letters redriven."]
    assert [letter.coordinates for letter in unresolved(bench)] == [letters[1].coordinates]
    assert {letter.resolution.result for letter in resolved(bench) if letter.resolution} == {"redriven"}
    bench.start()
    bench.wait_until_handled(0, 2)


def test_all_matching_dead_letters_are_discarded_with_reason_and_user(login: Login, bench: Bench) -> None:
    dead_letters_of(bench, 3)
    client = login(VIEW, SETTLE)
    query = f"{LIST}?group={bench.group}&reason=number+1"
    given = {"action": "discard", "confirmed": "yes", "everything": "on", "why": "a test"}
    response = client.post(query, given, follow=True)
    assert messages_of(response) == ["1 dead letter discarded."]
    [letter] = resolved(bench)
    assert letter.resolution
    assert (letter.key_text, letter.resolution.reason) == ("1", "a test")
    assert letter.resolution.by.startswith("staff-")
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (letter.coordinates, "discard: a test")
    assert entry.user.username == letter.resolution.by


def test_nothing_is_discarded_without_a_reason(login: Login, bench: Bench) -> None:
    dead_letters_of(bench, 1)
    response = act(login(VIEW, SETTLE), bench, "discard", everything="on", why=" ")
    assert response.status_code == 422
    assert "Say why they need no handling: the reason is recorded." in response.content.decode()
    assert resolved(bench) == []


def test_a_page_says_before_what_will_and_what_cannot_be_done(login: Login, bench: Bench) -> None:
    letters = dead_letters_of(bench, 2)
    bench.kafka_client.send(f"{bench.group}.dlq", "7", b"7")
    client = login(VIEW, SETTLE)
    page = client.post(f"{LIST}?group={bench.group}", {"action": "redrive", "everything": "on"})
    assert page.status_code == 200
    words = page.content.decode()
    assert "2 dead letters go back" in words
    assert "1 record stays" in words
    assert all(letter.coordinates in words for letter in letters)
    assert resolved(bench) == []
    assert messages_of(act(client, bench, "redrive", everything="on", expected=2)) == [
        "2 dead letters redriven."
    ]


def test_a_confirmation_of_another_number_than_there_is_asks_again(login: Login, bench: Bench) -> None:
    dead_letters_of(bench, 2)
    page = act(login(VIEW, SETTLE), bench, "discard", everything="on", why="a test", expected=1)
    assert page.status_code == 422
    assert "Meanwhile there are 2 of them, not 1." in page.content.decode()
    assert resolved(bench) == []


def test_a_dead_letter_leads_to_its_order_and_is_found_by_its_number(
    login: Login, bench: Bench, placer: OrderPlacer
) -> None:
    order = placer.place()
    bench.kafka_client.send(f"{bench.group}.dlq", str(order.id), b"7")
    client = login(VIEW)
    page = client.get(LIST, {"group": bench.group, "key": order.order_number})
    assert page.context["found"] == 1
    link = reverse("admin:orders_app_order_change", args=[order.id])
    assert f'href="{link}">{order.order_number}</a>' in page.content.decode()


def test_resolving_again_changes_nothing(login: Login, bench: Bench) -> None:
    [letter] = dead_letters_of(bench, 1)
    client = login(VIEW, SETTLE)
    act(client, bench, "redrive", place=letter.coordinates)
    assert (
        "None of these dead letters is open"
        in messages_of(act(client, bench, "redrive", place=letter.coordinates))[0]
    )


def test_a_dead_letter_of_unknown_origin_can_only_be_discarded(login: Login, bench: Bench) -> None:
    bench.kafka_client.send(f"{bench.group}.dlq", "7", b"7")
    client = login(VIEW, SETTLE)
    assert "can only be discarded" in messages_of(act(client, bench, "redrive", everything="on"))[0]
    assert messages_of(act(client, bench, "discard", everything="on", why="stray")) == [
        "1 dead letter discarded."
    ]


def test_a_user_who_may_only_view_resolves_nothing(login: Login, bench: Bench) -> None:
    dead_letters_of(bench, 1)
    client = login(VIEW)
    assert act(client, bench, "redrive", everything="on").status_code == 403
    assert 'value="redrive"' not in client.get(LIST, {"group": bench.group}).content.decode()
    assert resolved(bench) == []


@pytest.mark.parametrize("permissions", [(), (SETTLE,)])
def test_a_user_without_the_view_permission_sees_nothing(
    login: Login, bench: Bench, permissions: tuple[str, ...]
) -> None:
    [letter] = dead_letters_of(bench, 1)
    client = login(*permissions)
    assert client.get(LIST).status_code == client.get(page_of(letter)).status_code == 403
    assert act(client, bench, "discard", everything="on", why="a test").status_code == 403
    assert resolved(bench) == []


def test_the_page_reports_an_outage_of_kafka(
    login: Login, kafka_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_reader, "REACH_SECONDS", 0.5)
    client = login(VIEW)
    kafka_server.stop()
    try:
        page = client.get(LIST)
    finally:
        kafka_server.start()
    assert page.status_code == 200
    assert "Kafka is unavailable" in messages_of(page)[0]


def test_djangos_own_pages_of_a_row_are_not_found(login: Login) -> None:
    client = login(VIEW)
    assert client.get(f"{LIST}5/history/").status_code == 302
    assert client.get(f"{LIST}5/delete/").status_code in {302, 403}
    assert client.get(f"{LIST}add/").status_code == 403


def test_a_web_process_that_shows_no_dead_letters_has_no_kafka_client() -> None:
    look = (
        "import sys, config.wsgi; from django.contrib import admin; admin.autodiscover();"
        "import config.urls; print('confluent_kafka' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", look], env=os.environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
