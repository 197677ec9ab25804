"""What the payment gateway told, in the admin: open events first, found, and marked as resolved."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from orders_app.models import GatewayEvent
from tests.orders_app.admin.order_pages import OrderPages, messages_of
from tests.orders_app.ordering import OrderPlacer
from tests.orders_app.payments.webhooks.gateway_events import SECRET, TOKEN, dispute, event, payment, send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_gateway")]
LIST = reverse("admin:orders_app_gatewayevent_changelist")


@pytest.fixture(autouse=True)
def told(settings: Any, placer: OrderPlacer) -> None:
    """A dispute, money that no order knows, and a payment that was looked up."""
    settings.STRIPE_WEBHOOK_SECRET = SECRET
    order = placer.place()
    GatewayEvent.objects.create(
        event_id="evt_looked_up", type="payment_intent.succeeded", kind="payment", created_at=order.created_at
    )
    send(event("charge.dispute.created", dispute("pi_1", id="dp_<script>"), "evt_dispute"))
    send(event("payment_intent.succeeded", payment(order, payment_id="pi_unknown"), "evt_unknown"))


def found(order_pages: OrderPages, **query: str) -> list[str]:
    answer = order_pages.client.get(LIST, query)
    assert answer.status_code == 200
    assert "dp_<script>" not in answer.content.decode()
    return [row.pk for row in answer.context["cl"].result_list]


def resolve(order_pages: OrderPages, *ids: str) -> Any:
    return order_pages.client.post(LIST, {"action": "resolve", "_selected_action": ids}, follow=True)


def test_open_events_are_shown_first_and_others_by_a_filter(order_pages: OrderPages) -> None:
    assert found(order_pages) == ["evt_unknown", "evt_dispute"]
    assert found(order_pages, kind__exact="dispute") == ["evt_dispute"]
    assert found(order_pages, resolved="payments") == ["evt_looked_up"]
    assert found(order_pages, resolved="yes") == []
    assert messages_of(resolve(order_pages, "evt_dispute")) == ["1 event resolved."]
    assert found(order_pages) == ["evt_unknown"]
    assert found(order_pages, resolved="yes") == ["evt_dispute"]
    assert found(order_pages, resolved="all") == ["evt_unknown", "evt_dispute"]


def test_an_event_is_found_by_what_it_is_about(order_pages: OrderPages) -> None:
    unknown = GatewayEvent.objects.get(pk="evt_unknown")
    assert found(order_pages, q=unknown.order_number) == ["evt_unknown"]
    assert found(order_pages, q="evt_dispute") == ["evt_dispute"]
    assert found(order_pages, q="pi_unknown") == ["evt_unknown"]
    assert found(order_pages, q="dp_<script>") == ["evt_dispute"]
    assert found(order_pages, q="pi") == []


def test_the_page_of_an_event_shows_what_it_told_and_no_token(order_pages: OrderPages) -> None:
    page = order_pages.client.get(
        reverse("admin:orders_app_gatewayevent_change", args=["evt_dispute"])
    ).content.decode()
    for words in ("Payment that the customer disputes", "needs response, fraudulent", "dp_&lt;script&gt;"):
        assert words in page
    assert TOKEN not in page


def test_who_resolved_an_event_is_kept_and_the_first_time_counts(order_pages: OrderPages, sam: User) -> None:
    resolve(order_pages, "evt_dispute")
    first = GatewayEvent.objects.get(pk="evt_dispute")
    assert first.resolved_by == "sam"
    answer = order_pages.client.post(
        f"{LIST}?resolved=yes", {"action": "resolve", "_selected_action": ["evt_dispute"]}, follow=True
    )
    assert messages_of(answer) == ["0 events resolved."]
    assert GatewayEvent.objects.get(pk="evt_dispute").resolved_at == first.resolved_at
    assert LogEntry.objects.get().object_id == "evt_dispute"


def test_who_may_only_view_resolves_nothing(order_pages: OrderPages) -> None:
    sam = User.objects.get(username="sam")
    sam.user_permissions.remove(Permission.objects.get(codename="change_gatewayevent"))
    resolve(order_pages, "evt_dispute")
    assert not GatewayEvent.objects.filter(resolved_at__isnull=False).exists()


def test_events_are_not_edited(order_pages: OrderPages) -> None:
    for page in ("change", "delete"):
        path = reverse(f"admin:orders_app_gatewayevent_{page}", args=["evt_dispute"])
        assert order_pages.client.post(path, {"summary": "Nothing."}).status_code == 403
    assert order_pages.client.get(reverse("admin:orders_app_gatewayevent_add")).status_code == 403
    assert GatewayEvent.objects.count() == 3
