"""Of an erased customer nothing personal is left, and orders, figures and laws stay, whatever happens."""

import signal
import sys
import time
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from orders_app import event_log, selectors
from orders_app.accounts.names import colliding_names
from orders_app.mail.recording import EndedMail, MailEnd, State, begin_mail, end_mail
from orders_app.models import GatewayEvent, MailRecord, Order, Redaction, SignIn
from orders_app.personal_data import erasing
from orders_app.services.replay_orders import compare_slices
from orders_app.sockets.replay import missed
from orders_app.state_machine import OrderStatus
from tests.database import in_test_database
from tests.orders_app.api.api_users import ApiUser
from tests.orders_app.mail.mailing import event as mail_event
from tests.orders_app.ordering import OrderPlacer, move
from tests.orders_app.paying import refund
from tests.orders_app.personal_data.zoe import (
    SECRET,
    Zoe,
    customer_with_orders,
    leave_traces,
    tables_with,
    what_stays,
)
from tests.python_process import run_python

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_gateway")]


@pytest.fixture
def zoe(placer: OrderPlacer) -> Zoe:
    return customer_with_orders(placer)


def erase(name: str, *options: str) -> str:
    out = StringIO()
    call_command("customer", "erase", name, "--yes", "--by", "ticket 7", *options, stdout=out)
    return out.getvalue()


def differences() -> list[object]:
    return [found for part in compare_slices(10) for found in part.differences]


def figures() -> list[Any]:
    columns = (
        "id",
        "status",
        "total_amount",
        "currency",
        "refunded_amount",
        "paid_at",
        "version",
        "updated_at",
    )
    return list(Order.objects.order_by("id").values_list(*columns))


def test_nothing_of_an_erased_customer_is_left_in_any_table(zoe: Zoe) -> None:
    leave_traces(zoe)
    held = tables_with(SECRET)
    assert {"auth_user", "orders_order", "order_refund", "mail_record", "account_mail"} < set(held)
    stays, before, end = what_stays(zoe), figures(), event_log.end_position()
    words_of_a_service = Order.objects.get(pk=zoe.order_ids[2]).cancel_reason_detail
    told = erase(zoe.user.username)
    assert tables_with(SECRET) == []
    assert "Messages about the orders in Kafka" in told
    assert (what_stays(zoe), figures()) == (stays, before)
    assert event_log.read_after(end, 10) == []
    assert differences() == []
    reasons = dict(Order.objects.values_list("pk", "cancel_reason_detail"))
    assert [reasons[pk] for pk in zoe.order_ids[1:3]] == ["erased", words_of_a_service]
    user = User.objects.get(pk=zoe.user.pk)
    assert user.username.startswith(f"erased-{user.pk}-")
    assert not user.is_active
    assert not user.has_usable_password()
    assert colliding_names(["default"]) == []


def test_an_erasure_is_recorded_with_who_when_and_what(zoe: Zoe) -> None:
    erase(zoe.user.username)
    record = Redaction.objects.get()
    assert (record.user_id, record.requested_by) == (zoe.user.pk, "ticket 7")
    assert record.ended_at is not None
    assert record.replaced["orders_order"] == 3
    redacted = [event for event in event_log.histories(zoe.order_ids) if b'"redaction"' in event.data]
    assert sum(n for name, n in record.replaced.items() if name.startswith("order_event")) == len(redacted)
    assert all(f'"redaction": {record.pk}'.encode() in event.data for event in redacted)
    for statement in ("DELETE FROM redaction", "UPDATE redaction SET requested_by = 'nobody'"):
        with pytest.raises(Exception, match="is a record"), connection.cursor() as cursor:
            cursor.execute(statement)


def test_staff_see_the_orders_of_an_erased_customer_everywhere(zoe: Zoe, client: Any) -> None:
    last = event_log.history(zoe.order_ids[0])[0].event_id
    erase(zoe.user.username)
    staff = ApiUser(1, is_staff=True)
    order = staff.request("GET", f"orders/{zoe.order_ids[0]}/").json()
    assert order["shippingAddress"]["street"] == "erased"
    history = staff.request("GET", f"orders/{zoe.order_ids[0]}/history/")
    assert history.status_code == 200
    assert SECRET not in history.content.decode().lower()
    assert staff.request("GET", "orders/?search=zanzibar").json()["count"] == 0
    assert staff.request("GET", f"orders/?search=erased-{zoe.user.pk}").json()["count"] == 3
    texts = [message.text for message in missed(last, zoe.user.pk, is_staff=False)]
    assert texts
    assert not any(SECRET in text.lower() for text in texts)
    client.force_login(User.objects.create_superuser("walter"))
    pages = {
        "orders_app_order_change": zoe.order_ids[0],
        "auth_user_change": zoe.user.pk,
        "orders_app_redaction_change": Redaction.objects.get().pk,
    }
    for page, pk in pages.items():
        shown = client.get(reverse(f"admin:{page}", args=[pk]))
        assert shown.status_code == 200
        assert SECRET not in shown.content.decode().lower()


def test_a_customer_who_was_erased_can_sign_in_nowhere(
    zoe: Zoe, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "TOKENS_END_SECONDS", 0.5)
    zoe.user.set_password("stockbridge-demo")
    zoe.user.save()
    client.force_login(zoe.user)
    account = {"username": zoe.user.username, "password": "stockbridge-demo"}
    assert ApiUser().request("POST", "auth/token/", account).status_code == 200
    started = time.monotonic()
    erase(zoe.user.username)
    assert time.monotonic() - started > erasing.TOKENS_END_SECONDS
    assert ApiUser().request("POST", "auth/token/", account).status_code == 401
    assert not SignIn.objects.filter(user_id=zoe.user.pk, ended_at=None).exists()
    assert client.get("/api/v1/auth/me/").status_code == 401


def obstacle_of_an_order(zoe: Zoe, placer: OrderPlacer) -> str:
    return f"Order {placer.place().order_number} is Pending"


def obstacle_of_a_right(zoe: Zoe, placer: OrderPlacer) -> str:
    User.objects.filter(pk=zoe.user.pk).update(is_staff=True)
    return f"User {zoe.user.username} is staff"


def obstacle_of_a_dispute(zoe: Zoe, placer: OrderPlacer) -> str:
    GatewayEvent.objects.create(
        event_id="evt_2", type="x", kind="dispute", created_at=timezone.now(),
        order_id=zoe.order_ids[0], order_number=zoe.number,
    )  # fmt: skip
    return f"about order {zoe.number}: Payment that the customer disputes"


def obstacle_of_a_refund(zoe: Zoe, placer: OrderPlacer) -> str:
    refund(selectors.get_document(zoe.order_ids[0]), "1.00")
    return f"Of order {zoe.number} a refund is under way"


OBSTACLES = (obstacle_of_an_order, obstacle_of_a_right, obstacle_of_a_dispute, obstacle_of_a_refund)


def test_what_is_still_needed_is_not_erased(zoe: Zoe, placer: OrderPlacer) -> None:
    reasons = [obstacle(zoe, placer) for obstacle in OBSTACLES]
    held = tables_with(SECRET)
    with pytest.raises(CommandError) as refused:
        erase(zoe.user.username)
    assert [reason for reason in reasons if reason not in str(refused.value)] == []
    assert len(str(refused.value).splitlines()) == 1 + len(reasons)
    assert tables_with(SECRET) == held
    assert User.objects.get(pk=zoe.user.pk).is_active
    assert not Redaction.objects.exists()


class Interrupted(Exception):
    """The process ended here."""


@pytest.fixture
def interrupt_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Ends an erasure at this kill point, as a kill does: what was committed stays."""

    def interrupt(wanted: str) -> None:
        def kill_point(name: str) -> None:
            if name == wanted:
                raise Interrupted

        monkeypatch.setattr(erasing, "kill_point", kill_point)

    return interrupt


def test_an_erasure_that_was_interrupted_anywhere_is_finished_by_the_next_run(
    zoe: Zoe, interrupt_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_traces(zoe)
    monkeypatch.setattr("orders_app.personal_data.orders.SLICE_ORDERS", 2)
    for point in ("after-account-closed", "after-redacting-orders", "before-redaction-ended"):
        interrupt_at(point)
        with pytest.raises(Interrupted):
            erase(zoe.user.username)
        assert differences() == []
        assert not User.objects.get(pk=zoe.user.pk).is_active
    interrupt_at("none")
    erase(zoe.user.username)
    assert tables_with(SECRET) == []
    assert differences() == []
    assert Redaction.objects.get().replaced["orders_order"] == 3


def test_a_killed_command_leaves_rows_and_events_equal_and_can_run_again(zoe: Zoe) -> None:
    command = ["manage.py", "customer", "erase", zoe.user.username, "--yes"]
    killed = run_python(*command, **in_test_database(), KILL_AT="after-redacting-orders")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert differences() == []
    erase(zoe.user.username)
    assert tables_with(SECRET) == []


def test_a_second_erasure_finds_nothing_and_an_unknown_name_is_refused(zoe: Zoe) -> None:
    erase(zoe.user.username)
    stays = event_log.histories(zoe.order_ids)
    erase(zoe.name)
    assert event_log.histories(zoe.order_ids) == stays
    assert Redaction.objects.earliest("pk").replaced["orders_order"] == 3
    assert Redaction.objects.latest("pk").replaced == {"auth_user": 1}
    with pytest.raises(CommandError, match="There is no user 'zanzibar'"):
        erase("zanzibar")


def test_an_order_placed_while_the_account_is_closed_stops_the_erasure_and_the_next_run_erases_it_too(
    zoe: Zoe, placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = []
    monkeypatch.setattr(erasing, "_await_end_of_tokens", lambda _: placed.append(placer.place()))
    with pytest.raises(CommandError, match="is Pending"):
        erase(zoe.user.username)
    monkeypatch.undo()
    move(placed[0], OrderStatus.CANCELLED)
    erase(zoe.user.username)
    assert tables_with(SECRET) == []
    assert Order.objects.get(pk=placed[0].id).street == "erased"


def test_a_mail_that_is_being_sent_while_its_reader_is_erased_leaves_no_address(zoe: Zoe) -> None:
    event = mail_event(user_id=str(zoe.user.pk))
    begin_mail(connection, event, "zanzibar@example.com")
    erase(zoe.user.username)
    end = MailEnd(State.REFUSED, "550 <zanzibar@example.com> unknown")
    end_mail(connection, EndedMail(event, "zanzibar@example.com", end))
    assert tables_with(SECRET) == []
    assert MailRecord.objects.filter(state=State.REFUSED).exists()


def test_nothing_is_erased_by_a_dry_run_or_without_a_confirmation(
    zoe: Zoe, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = tables_with(SECRET)
    out = StringIO()
    call_command("customer", "erase", zoe.user.username, "--dry-run", stdout=out)
    assert "orders_order: 3 rows\n" in out.getvalue()
    assert "Nothing was erased." in out.getvalue()
    monkeypatch.setattr(sys, "stdin", StringIO("yes\n"))
    with pytest.raises(CommandError, match="confirm with --yes"):
        call_command("customer", "erase", zoe.user.username, stdout=StringIO())
    assert tables_with(SECRET) == held


def test_other_customers_keep_everything(zoe: Zoe, placer: OrderPlacer) -> None:
    other = User.objects.create_user("otto", "otto@example.com")
    placer.user_id = other.pk
    order = placer.place()
    erase(zoe.user.username)
    other.refresh_from_db()
    assert (other.email, other.is_active) == ("otto@example.com", True)
    assert Order.objects.get(pk=order.id).street == "1 Bridge St"
